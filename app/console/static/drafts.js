// What somebody types outlives their login: it stays in this tab, under their name, until the form is
// taken or they sign out. A login that ends meanwhile leads to the login page and back.
const FIELDS = "textarea, select, input:not([type]), input[type=text], input[type=date], input[type=radio]";
const ALL = "zhenxue:draft:";
const PREFIX = `${ALL}${document.querySelector(".who .name")?.textContent}:`;
const SENT = `${ALL}sent`;
const refused = document.querySelector("[role=alert]"); // such a form shows itself what was typed
const key = (form) => PREFIX + new URL(form.getAttribute("action") ?? "", location).pathname;
const fields = (form) => [...form.querySelectorAll(FIELDS)].filter((it) => it.name);

const sent = sessionStorage.getItem(SENT);
sessionStorage.removeItem(SENT);
if (sent && !refused && document.querySelector(".who")) sessionStorage.removeItem(sent); // it was taken

for (const form of document.querySelectorAll("form[method=post]:has(textarea)")) {
  const words = JSON.parse(sessionStorage.getItem(key(form)) ?? "{}");
  for (const it of refused ? [] : fields(form)) {
    if (it.type === "radio") it.checked ||= it.value === words[it.name];
    else if (!it.value && words[it.name]) it.value = words[it.name];
  }
  form.addEventListener("input", () => sessionStorage.setItem(key(form), JSON.stringify(
    Object.fromEntries(fields(form).filter((it) => it.type !== "radio" || it.checked)
      .map((it) => [it.name, it.value])))));
  form.addEventListener("submit", () => sessionStorage.setItem(SENT, key(form)));
}
document.querySelector("form[action='/console/logout']")?.addEventListener("submit", () =>
  Object.keys(sessionStorage).filter((it) => it.startsWith(ALL))
    .forEach((it) => sessionStorage.removeItem(it)));
