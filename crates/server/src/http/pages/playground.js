"use strict";
const at = (id) => document.getElementById(id);
let running = null;

function show(id, text, bad) {
  at(id).textContent = text;
  at(id).className = bad ? "bad" : "";
}

function finish(record) {
  show("stdout", record.stdout);
  show("stderr", record.stderr);
  const usage = record.usage;
  const cut = record.truncated.length ? ", cut: " + record.truncated.join(" and ") : "";
  show("status", `${record.status} in ${usage.wall_ms} ms, ${usage.cpu_ms ?? "?"} ms of CPU${cut}`, record.error);
  if (record.error) fail(record.error);
}

function fail(error) {
  const place = error.line ? ` (line ${error.line})` : "";
  const hint = error.hint && !error.message.includes(error.hint) && error.hint;
  const more = [error.traceback, hint].filter(Boolean).join("\n");
  show("result", `${error.type}: ${error.message}${place}${more ? "\n\n" + more : ""}`, true);
}

// The result is cut out of the text, because JSON.parse would round large numbers.
function resultText(data) {
  const start = data.indexOf('"result":') + 9;
  let depth = 0, quoted = false;
  for (let i = start; i < data.length; i++) {
    const c = data[i];
    if (quoted) { if (c === "\\") i++; else if (c === '"') quoted = false; continue; }
    if (c === '"') quoted = true;
    else if (c === "{" || c === "[") depth++;
    else if (c === "}" || c === "]") depth--;
    else if (c === "," && depth === 0) return data.slice(start, i);
  }
  return data.slice(start);
}

function take(name, data) {
  const value = JSON.parse(data);
  if (name === "stdout" || name === "stderr") at(name).textContent += value.text;
  else if (name === "result") { if (!value.error) show("result", resultText(data)); finish(value); }
  else if (name === "error") fail(value.error);
  else if (name === "restarted") { show("stdout", ""); show("stderr", ""); }
}

async function listen(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const events = (text + value).split("\n\n");
    text = events.pop();
    for (const event of events) {
      const match = /^event: (.*)\ndata: (.*)$/.exec(event);
      if (match) take(match[1], match[2]);
    }
  }
}

async function run() {
  const headers = { "Content-Type": "application/json", Accept: "text/event-stream" };
  if (at("key").value) headers["X-API-Key"] = at("key").value;
  const input = at("input").value.trim() || "null";
  const body = `{"script": ${JSON.stringify(at("script").value)}, "input": ${input}}`;
  const signal = running.signal;
  const response = await fetch("/v1/executions", { method: "POST", headers, body, signal });
  if (!response.ok) fail((await response.json()).error);
  else await listen(response);
}

at("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (running) return;
  running = new AbortController();
  at("run").disabled = true;
  at("stop").disabled = false;
  for (const id of ["result", "stdout", "stderr"]) show(id, "");
  show("status", "running…");
  try { await run(); } catch (error) { show("status", error.name === "AbortError" ? "stopped" : String(error), true); }
  if (at("status").textContent === "running…") show("status", "");
  running = null;
  at("run").disabled = false;
  at("stop").disabled = true;
});
at("stop").addEventListener("click", () => running && running.abort());
at("script").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) at("form").requestSubmit();
});
