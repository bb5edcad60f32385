// The far end's voice: WebRTC of a second Chromium page with its fake microphone.

/** A peer made of a playwright page that is open on the mock's own origin. */
export async function makePeer(page) {
  await page.evaluate(() => {
    const all = new Map();
    let last = 0;
    const open = async () => {
      const pc = new RTCPeerConnection();
      const mic = await navigator.mediaDevices.getUserMedia({ audio: true });
      for (const t of mic.getTracks()) pc.addTrack(t, mic);
      all.set(++last, pc);
      return [last, pc];
    };
    const gathered = (pc) =>
      new Promise((done) => {
        const look = () => pc.iceGatheringState === "complete" && done(pc.localDescription.sdp);
        pc.onicegatheringstatechange = look;
        look();
      });
    const answerTo = async (pc, sdp) => {
      await pc.setRemoteDescription({ type: "offer", sdp });
      await pc.setLocalDescription(await pc.createAnswer());
      return gathered(pc);
    };
    window.peer = {
      async offer() {
        const [id, pc] = await open();
        await pc.setLocalDescription(await pc.createOffer());
        return { id, sdp: await gathered(pc) };
      },
      async answer(sdp) {
        const [id, pc] = await open();
        return { id, sdp: await answerTo(pc, sdp) };
      },
      accept: (id, sdp) => all.get(id).setRemoteDescription({ type: "answer", sdp }),
      again: (id, sdp) => answerTo(all.get(id), sdp),
      close(id) {
        all.get(id)?.close();
        all.delete(id);
      },
    };
  });
  const on =
    (name) =>
    (...args) =>
      page.evaluate(([n, a]) => window.peer[n](...a), [name, args]);
  return {
    offer: on("offer"),
    answer: on("answer"),
    accept: on("accept"),
    again: on("again"),
    close: on("close"),
  };
}
