import { enrol } from "./enrolment.js";

// The token stands after the #, which no server is sent; then it leaves the address too.
const { learner, token } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
history.replaceState(null, "", location.pathname);

const sheet = new CSSStyleSheet();
sheet.replaceSync("body { margin: 0; background: #111827; } .zhenxue-lamp body { background: #fff; }");
document.adoptedStyleSheets = [sheet];
enrol({ element: document.querySelector("main"), learner: learner ?? "", token: token ?? "" });
