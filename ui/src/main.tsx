import "./shared/base.css";

// One document, two programs: the phone's bytes hold nothing of the console.
if (/^\/console(\/|$)/.test(location.pathname)) void import("./console/main");
else void import("./phone/main");
