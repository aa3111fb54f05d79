/** The page of a node in a real Chromium: views, live updates, keyboard, colours, flows, hostile names, small screens. */
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";
import { chromiumPath, startBrowser, type TestBrowser } from "../support/browser.js";
import { startFakeNode, type FakeNode } from "../support/fake-node.js";
import { answerAsPlant, populate } from "../support/fake-plant.js";

/** Bound of a wait for an event, ms. */
const wait = 60_000;
const views = ["overview", "nodes", "operations", "data", "models", "functions", "jobs", "logs", "settings"];

describe.skipIf(chromiumPath === undefined)("the page, in Chromium (skipped where there is none)", () => {
  let browser: TestBrowser;
  let node: FakeNode;
  let page: Page;
  /** What the browser complained about. */
  let complaints: string[];
  /** Complaints that the test makes on purpose, whenever they come. */
  let meant: RegExp | undefined;

  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());
  beforeEach(() => {
    complaints = [];
    meant = undefined;
  });
  afterEach(async () => {
    await page.close();
    await node.close();
    expect(complaints.filter((text) => meant?.test(text) !== true)).toEqual([]);
  });

  async function open(
    view: string,
    settings: Parameters<typeof startFakeNode>[0] = { open: true },
  ): Promise<void> {
    node = await startFakeNode(settings, { storageBytes: async () => ({ data: 1000 }) });
    answerAsPlant(node);
    page = await browser.context.newPage();
    // What does not come at all; how long it takes says how busy the machine is.
    page.setDefaultTimeout(wait);
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(`${node.management.url}/#/${view}`);
  }
  const shown = (text: string | RegExp): Promise<void> => page.getByText(text).first().waitFor();
  const show = (view: string): Promise<void> =>
    page.locator("nav a", { hasText: new RegExp(`^${view}$`, "i") }).click();
  const focused = (): Promise<string> =>
    page.evaluate(
      "(document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent).trim()",
    );

  it("shows every view without a complaint, and nothing wider than 375 px", async () => {
    await open("overview");
    populate(node);
    await page.setViewportSize({ width: 375, height: 720 });
    for (const view of views) {
      await show(view);
      await page.locator("main h1", { hasText: new RegExp(view, "i") }).waitFor();
      await page.locator("main .loading").first().waitFor({ state: "detached" });
      expect(await page.evaluate("document.documentElement.scrollWidth"), view).toBeLessThanOrEqual(375);
    }
  });

  it("says what to do where nothing is there yet", async () => {
    await open("overview");
    await shown("No node has joined yet.");
    await shown("tmc run --board host");
    node.answer("data.list", () => ({ result: { dataSets: [] } }));
    node.answer("model.list", () => ({ result: { models: [] } }));
    for (const [view, text] of [
      ["data", "There is no data set yet."],
      ["models", "There is no model yet."],
      ["jobs", "No job has run yet."],
      ["functions", "No function is deployed."],
    ] as const) {
      await show(view);
      await shown(text);
    }
  });

  it("asks for the token, and forgets the session at log-out", async () => {
    meant = /401/;
    await open("nodes", {});
    node.join("pump-1");
    await page.getByLabel("Token").fill("guess");
    await page.getByRole("button", { name: "Log in" }).click();
    await shown("forbidden: wrong token");
    await page.getByLabel("Token").fill(node.token);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "pump-1" }).waitFor();
    const [cookie] = await browser.context.cookies(node.management.url);
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict" });
    expect(
      await page.evaluate("document.cookie + JSON.stringify(sessionStorage) + JSON.stringify(localStorage)"),
    ).not.toContain(node.token);
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByLabel("Token").waitFor();
    expect(await page.getByText("pump-1").count()).toBe(0);
  });

  it("shows nodes as they come and go, requests and jobs as they happen", async () => {
    await open("overview");
    await page.getByRole("button", { name: "edge, this server, running" }).waitFor();
    node.join("pump-9", {}, { state: undefined });
    const spot = page.locator('[data-node="pump-9"]');
    await spot.waitFor();
    expect(await spot.getAttribute("aria-label")).toBe("pump-9, online, 0 in flight");
    node.request({ operation: "model.infer", node: "pump-9", totalMs: 3.21 });
    await shown("3.2 ms");
    node.leave("pump-9");
    await page.getByRole("button", { name: "pump-9, offline, 0 in flight" }).waitFor();
    await show("jobs");
    node.job({ id: "j-1", progress: 0.25, text: "epoch 3" });
    const bar = page.getByRole("progressbar");
    await bar.waitFor();
    expect(await bar.getAttribute("aria-valuenow")).toBe("25");
    node.job({ id: "j-1", progress: 1, state: "done", endedAt: new Date().toISOString() });
    await page.locator("td", { hasText: /^done$/ }).waitFor();
  });

  it("says so when the node is away", async () => {
    meant = /./;
    await open("nodes");
    node.join("pump-1");
    await page.getByRole("button", { name: "pump-1" }).waitFor();
    await node.management.stop();
    await shown("no connection");
  });

  it("returns by itself, still logged in, when the node was restarted", async () => {
    meant = /./;
    await open("nodes", {});
    node.join("pump-1");
    await page.getByLabel("Token").fill(node.token);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "pump-1" }).waitFor();
    await node.management.stop();
    await shown("no connection");
    await show("models");
    await shown("the node does not answer");
    node.join("pump-2");
    await node.startAgain();
    // Nothing is touched: the state, the view that could not be read, what has changed meanwhile.
    await page.getByRole("status").getByText("running").waitFor();
    await page.getByRole("button", { name: "Promote …" }).waitFor();
    await page.getByText("the node does not answer").waitFor({ state: "detached" });
    await show("nodes");
    await page.getByRole("button", { name: "pump-2" }).waitFor();
    node.join("pump-3");
    await page.getByRole("button", { name: "pump-3" }).waitFor();
    // A session that is over shows the way in.
    await page.context().clearCookies();
    await node.management.stop();
    await node.startAgain();
    await page.getByLabel("Token").waitFor();
  });

  it("is used by keyboard alone", async () => {
    await open("overview");
    node.join("pump-1");
    await page.locator('[data-node="pump-1"]').waitFor();
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.id")).toBe("main");
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("edge, this server, running");
    await page.keyboard.press("Tab");
    expect(await focused()).toContain("pump-1, online");
    expect(
      await page.evaluate("getComputedStyle(document.activeElement.querySelector('circle')).strokeWidth"),
    ).toBe("4px");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "pump-1" }).waitFor();
    await shown("watchdog");
    await shown("2,872 B");
    await shown("boot 2 ended by an index out of bounds (site 17: tmc decode 17) during data.collect");
    for (let i = 0; i < 6; i++) {
      await page.keyboard.press("Tab");
      // The browser's own controls (body) are outside of the page.
      expect(
        await page.evaluate(
          "document.activeElement === document.body || document.activeElement.closest('dialog') !== null",
        ),
      ).toBe(true);
    }
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(await focused()).toContain("pump-1, online");
    await page.locator("nav a", { hasText: "Operations" }).focus();
    expect(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")).toBe("solid");
    await page.keyboard.press("Enter");
    await page.locator("main h1", { hasText: "Operations" }).waitFor();
  });

  it("keeps the focus while live updates draw around it, and when what had it is gone", async () => {
    await open("overview");
    for (const id of ["pump-2", "pump-4", "pump-6"]) node.join(id);
    const spot = (id: string) => page.locator(`[data-node="${id}"]`);
    await spot("pump-6").waitFor();
    await spot("pump-4").focus();
    for (const id of ["pump-1", "pump-3", "pump-5", "pump-7"]) node.join(id);
    for (const id of ["pump-2", "pump-4"]) node.leave(id);
    await page.getByRole("button", { name: "pump-4, offline, 0 in flight" }).waitFor();
    await spot("pump-7").waitFor();
    expect(await focused()).toContain("pump-4");
    await show("jobs");
    node.job({ id: "j-1", subject: "vibration" });
    await page.getByRole("button", { name: "Cancel model.train of vibration" }).focus();
    node.job({ id: "j-1", state: "done", endedAt: new Date().toISOString() });
    await page.locator("td", { hasText: /^done$/ }).waitFor();
    expect(await page.evaluate("document.activeElement.id")).toBe("main");
  });

  it("is dark where the system is, or where it was asked to be", async () => {
    await open("overview");
    const background = (): Promise<string> =>
      page.evaluate("getComputedStyle(document.body).backgroundColor");
    await page.emulateMedia({ colorScheme: "light" });
    await expect.poll(background, { timeout: wait }).toBe("rgb(244, 246, 248)");
    await page.emulateMedia({ colorScheme: "dark" });
    await expect.poll(background, { timeout: wait }).toBe("rgb(14, 19, 24)");
    await page.getByRole("button", { name: "Use light colours" }).click();
    await expect.poll(background, { timeout: wait }).toBe("rgb(244, 246, 248)");
    await page.reload();
    await expect.poll(background, { timeout: wait }).toBe("rgb(244, 246, 248)");
    await page.evaluate("localStorage.clear()");
  });

  it("keeps still where motion is not wanted", async () => {
    await open("overview");
    await page.emulateMedia({ reducedMotion: "reduce" });
    node.join("pump-1");
    await page.locator('[data-node="pump-1"]').waitFor();
    // A dot lives for 600 ms: each that was drawn is counted, however late we look.
    await page.evaluate(
      "window.dots = 0; new MutationObserver((changes) => { for (const each of changes) window.dots += each.addedNodes.length; }).observe(document.querySelector('.pulses'), { childList: true })",
    );
    const dots = (): Promise<number> => page.evaluate("window.dots");
    node.request({ node: "pump-1", totalMs: 7.77 });
    await shown("7.8 ms");
    expect(await dots()).toBe(0);
    await page.emulateMedia({ reducedMotion: "no-preference" });
    node.request({ node: "pump-1", totalMs: 8.88 });
    await expect.poll(dots, { timeout: wait }).toBeGreaterThan(0);
  });

  it("promotes a model, and shows why not", async () => {
    meant = /403/;
    await open("models");
    await page.getByRole("button", { name: "Promote …" }).click();
    node.answer("model.promote", () => ({
      error: { code: "forbidden", text: "never passed model.validate" },
    }));
    await page.getByRole("button", { name: "Promote", exact: true }).click();
    await shown("forbidden: never passed model.validate");
    node.answer("model.promote", () => ({ result: { model: "vibration@2-int8" } }));
    await page.getByRole("button", { name: "Promote", exact: true }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(
      node.orders.filter(({ order }) => order.operation === "model.promote").at(-1)?.order.arguments,
    ).toEqual({
      model: "vibration@2-int8",
      stage: "production",
    });
  });

  it("cancels a job after it has asked", async () => {
    await open("jobs");
    node.job({ id: "j-1", subject: "vibration" });
    await page.getByRole("button", { name: "Cancel model.train of vibration" }).click();
    await page.getByRole("button", { name: "Cancel the job" }).click();
    await page.locator("td", { hasText: /^cancelled$/ }).waitFor();
  });

  it("calls an operation by a form of its schema, and explains a route", async () => {
    await open("operations");
    node.answer("data.split", () => ({ result: { usages: { training: 8 } } }));
    await page.getByRole("button", { name: "Call data.split" }).click();
    await page.getByLabel("name (needed)").fill("vibration");
    await page.getByLabel("training (needed)").fill("0.8");
    await page.getByLabel("by", { exact: true }).selectOption("time");
    await page.getByRole("button", { name: "Call", exact: true }).last().click();
    await shown('"training": 8');
    expect(node.orders.filter(({ order }) => order.operation === "data.split")[0]?.order).toEqual({
      operation: "data.split",
      arguments: { name: "vibration", training: 0.8, by: "time" },
    });
    await page.keyboard.press("Escape");
    populate(node);
    await page.getByRole("button", { name: "Explain the route of model.infer" }).click();
    await page.getByRole("button", { name: "Explain", exact: true }).last().click();
    await shown("model vibration@2-int8");
  });

  it("stops the node only when it is told twice", async () => {
    await open("settings");
    await page.getByRole("button", { name: "Stop" }).click();
    expect(node.stopped).toBe(false);
    await page.getByRole("dialog").getByRole("button", { name: "Stop" }).click();
    await expect.poll(() => node.stopped, { timeout: wait }).toBe(true);
  });

  it("shows names, labels and lines of others as text, whatever they say", async () => {
    const evil = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';
    meant = /status of 4\d\d/;
    await open("overview");
    node.join("pump-1", {
      labels: [evil],
      software: evil,
      softwareVersion: evil,
      sensors: [{ name: evil, channels: 1, unit: evil }],
    });
    node.log.log.error({ module: evil, [evil]: evil }, evil);
    node.request({ error: evil, node: evil, operation: evil });
    node.job({
      id: "j-1",
      subject: evil,
      text: evil,
      steps: [{ name: evil, state: "failed", attempts: 1, error: evil }],
    });
    const set = {
      name: evil,
      items: 1,
      bytes: 1,
      labels: { [evil]: 1 },
      usages: {},
      createdAt: evil,
      changedAt: evil,
      origin: evil,
    };
    node.answer("data.list", () => ({ result: { dataSets: [set] } }));
    const model = {
      name: evil,
      version: evil,
      digest: evil,
      form: "float",
      task: evil,
      stage: "candidate",
      bytes: 1,
      inputs: [evil],
      outputs: [],
      labels: [evil],
      metrics: { [evil]: { [evil]: 1 } },
      parent: "javascript:alert(1)",
      createdAt: evil,
      nodes: [evil],
    };
    node.answer("model.list", () => ({ result: { models: [model] } }));
    node.answer("data.retrieve", () => ({ error: { code: "not-found", text: evil } }));
    node.explanation = {
      decision: "refuse",
      chosen: undefined,
      error: { code: "not-found", text: evil },
      candidates: [{ node: evil, kind: "node", fits: false, why: evil, score: undefined }],
    };
    for (const view of views) {
      await show(view);
      await page.locator("main h1", { hasText: new RegExp(view, "i") }).waitFor();
      if (view === "logs")
        await page
          .locator(".log")
          .getByText(/onerror/)
          .first()
          .waitFor();
    }
    await show("jobs");
    await page.getByRole("button", { name: "model.train", exact: true }).click();
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await show("nodes");
    await page.getByRole("button", { name: "pump-1" }).click();
    await shown(/onerror/);
    expect(
      await page.evaluate(
        "[String(window.hacked), document.querySelectorAll('#app img:not([src=\"/icon.svg\"]), #app script').length]",
      ),
    ).toEqual(["undefined", 0]);
  });
});

describe("the colours", () => {
  const css = readFileSync(packagePath("host", "node", "web", "styles", "base.css"), "utf8");
  const colours = (theme: string): Record<string, string> =>
    Object.fromEntries(
      [
        ...(css.split(`[data-theme="${theme}"] {`)[1]?.split("}")[0] ?? "").matchAll(
          /--([\w-]+): (#[0-9a-f]{6});/g,
        ),
      ].map((match) => [match[1]!, match[2]!]),
    );
  const luminance = (hex: string): number => {
    const [r, g, b] = [1, 3, 5].map((at) => {
      const c = parseInt(hex.slice(at, at + 2), 16) / 255;
      return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  };
  const contrast = (a: string, b: string): number => {
    const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (high! + 0.05) / (low! + 0.05);
  };
  it.each(["light", "dark"])("%s: text has 4.5:1 (WCAG AA), controls and lines of charts 3:1", (theme) => {
    const c = colours(theme);
    for (const ground of ["bg", "panel", "raised"]) {
      for (const text of ["text", "muted", "accent", "ok", "warn", "bad"]) {
        expect(contrast(c[text]!, c[ground]!), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
      }
    }
    expect(contrast(c["on-accent"]!, c["accent"]!)).toBeGreaterThanOrEqual(4.5);
    for (const text of ["text", "accent", "muted"])
      expect(contrast(c[text]!, c["accent-soft"]!), text).toBeGreaterThanOrEqual(4.5);
    expect(contrast(c["bad"]!, c["bad-soft"]!)).toBeGreaterThanOrEqual(4.5);
    for (const line of ["control", "focus", ...[0, 1, 2, 3, 4, 5].map((i) => `series-${i}`)]) {
      expect(contrast(c[line]!, c["panel"]!), line).toBeGreaterThanOrEqual(3);
    }
  });
});
