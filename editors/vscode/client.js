// Starts `lacelang lsp` and connects it with the editor.

"use strict";

const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

async function start() {
  const settings = vscode.workspace.getConfiguration("lacelang");
  const [command, ...args] = settings.get("server.command");
  const server = { command, args };
  const options = {
    documentSelector: [{ scheme: "file", language: "lace" }, { scheme: "untitled", language: "lace" }],
  };
  client = new LanguageClient("lacelang", "lacelang", server, options);
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    vscode.window.showErrorMessage(
      `The language server did not start (${error.message}). Install it with ` +
        "`pip install 'lacelang[lsp]'`, and name its place in the setting lacelang.server.command.",
    );
  }
}

async function stop() {
  const running = client;
  client = undefined;
  if (running !== undefined) {
    await running.stop();
  }
}

async function activate(context) {
  context.subscriptions.push(
    vscode.commands.registerCommand("lacelang.restart", async () => {
      await stop();
      await start();
    }),
    vscode.workspace.onDidChangeConfiguration(async (change) => {
      if (change.affectsConfiguration("lacelang.server")) {
        await stop();
        await start();
      }
    }),
  );
  await start();
}

module.exports = { activate, deactivate: stop };
