import { type PublicJwk, thumbprint } from "./thumbprint";

/** Who this browser is: a key that never leaves it. */
export interface Identity {
  key: CryptoKey;
  jwk: PublicJwk;
  thumbprint: string;
}

const shelf = "keys";

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("roamline", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(shelf);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Keeps fresh unless a key is there already, and returns the one that is kept. */
function keep(db: IDBDatabase, fresh: CryptoKeyPair): Promise<CryptoKeyPair> {
  return new Promise((resolve, reject) => {
    const write = db.transaction(shelf, "readwrite");
    const store = write.objectStore(shelf);
    let kept = fresh;
    const had = store.get("client");
    had.onsuccess = () => {
      if (had.result) kept = had.result as CryptoKeyPair;
      else store.put(fresh, "client");
    };
    write.oncomplete = () => resolve(kept);
    write.onerror = () => reject(write.error);
    write.onabort = () => reject(write.error);
  });
}

function find(db: IDBDatabase): Promise<CryptoKeyPair | undefined> {
  return new Promise((resolve, reject) => {
    const had = db.transaction(shelf).objectStore(shelf).get("client");
    had.onsuccess = () => resolve(had.result as CryptoKeyPair | undefined);
    had.onerror = () => reject(had.error);
  });
}

/**
 * The identity of this browser profile, made on the first visit. It throws
 * where WebCrypto or IndexedDB are not to be had: an insecure context, some
 * private windows.
 */
export async function identity(): Promise<Identity> {
  const db = await open();
  const pair =
    (await find(db)) ??
    (await keep(
      db,
      await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]),
    ));
  db.close();
  const { x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  const jwk: PublicJwk = { kty: "EC", crv: "P-256", x: x!, y: y! };
  return { key: pair.privateKey, jwk, thumbprint: await thumbprint(jwk) };
}
