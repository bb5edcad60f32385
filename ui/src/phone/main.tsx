import "./phone.css";
import { createRoot } from "react-dom/client";
import { Frame } from "../shared/Frame";
import { App } from "./App";

createRoot(document.getElementById("root")!).render(
  <Frame>
    <App />
  </Frame>,
);
