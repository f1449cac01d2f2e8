"use strict";
// Everything is put into the page as text, never as markup.
function add(to, name, text, attributes) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  Object.assign(element, attributes || {});
  to.append(element);
  return element;
}
// What is between two backticks is code.
function words(to, text) {
  text.split("`").forEach((part, index) => (index % 2 ? add(to, "code", part) : to.append(part)));
}
function prose(to, text) {
  if (text) words(add(to, "p", "", { className: "text" }), text.replace(/([^\n])\n(?!\n)/g, "$1 "));
}
const shown = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));
const slug = (name) => "schema-" + name;

function type(to, schema) {
  if (!schema) return;
  if (schema.$ref) {
    const name = schema.$ref.split("/").pop();
    add(to, "a", name, { href: "#" + slug(name) });
    return;
  }
  const many = schema.oneOf || schema.anyOf || schema.allOf;
  if (many) { many.forEach((one, index) => { if (index) to.append(" or "); type(to, one); }); return; }
  if (schema.enum) { to.append(schema.enum.map((value) => JSON.stringify(value)).join(", ")); return; }
  const types = [].concat(schema.type || "any");
  to.append(types.join(" or "));
  if (types.includes("array") && schema.items) { to.append(" of "); type(to, schema.items); }
  if (schema.additionalProperties && schema.additionalProperties !== true) { to.append(" of "); type(to, schema.additionalProperties); }
}

function contents(to, content) {
  for (const [media, body] of Object.entries(content || {})) {
    const line = add(to, "p", media + ": ");
    type(line, body.schema);
    if (body.example !== undefined) add(to, "pre", shown(body.example));
    for (const [name, example] of Object.entries(body.examples || {})) {
      const details = add(to, "details");
      add(details, "summary", name);
      add(details, "pre", shown(example.value));
    }
  }
}

function operation(to, path, method, what) {
  const article = add(to, "article");
  const title = add(article, "h2");
  add(title, "span", method.toUpperCase(), { className: "method" });
  add(title, "code", path);
  add(article, "h3", what.summary || "");
  prose(article, what.description);
  if (what.parameters) {
    const table = add(article, "table");
    for (const parameter of what.parameters) {
      const row = add(table, "tr");
      add(add(row, "td"), "code", parameter.name);
      add(row, "td", parameter.in);
      words(add(row, "td"), parameter.description || "");
    }
  }
  if (what.requestBody) { add(article, "h3", "Request"); contents(article, what.requestBody.content); }
  for (const [status, response] of Object.entries(what.responses || {})) {
    add(article, "h3", status);
    prose(article, response.description);
    contents(article, response.content);
  }
}

function schema(to, name, what) {
  const article = add(to, "article");
  add(article, "h2", name, { id: slug(name) });
  prose(article, what.description);
  const table = add(article, "table");
  for (const [field, property] of Object.entries(what.properties || {})) {
    const row = add(table, "tr");
    const cell = add(row, "td");
    add(cell, "code", field);
    if ((what.required || []).includes(field)) cell.append(" *");
    type(add(row, "td"), property);
    words(add(row, "td"), (property.description || "").replace(/\n/g, " "));
  }
  if (!what.properties) type(add(article, "p"), what);
  if (what.example !== undefined) add(article, "pre", shown(what.example));
}

fetch("/openapi.json").then((response) => response.json()).then((api) => {
  const main = document.getElementById("main");
  main.textContent = "";
  add(main, "p", "Version " + api.info.version);
  prose(main, api.info.description);
  for (const [path, item] of Object.entries(api.paths))
    for (const [method, what] of Object.entries(item)) operation(main, path, method, what);
  for (const [name, what] of Object.entries(api.components.schemas)) schema(main, name, what);
  if (location.hash) location.replace(location.hash);
}).catch((error) => { document.getElementById("main").textContent = String(error); });
