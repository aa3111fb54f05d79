/** The page of a node: log-in, navigation, and one view at a time. */
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { request, whenLoggedOut } from "./api.js";
import { Badge } from "./parts/basic.js";
import { LogIn } from "./views/log-in.js";
import { Overview } from "./views/overview.js";
import { Nodes } from "./views/nodes.js";
import { Operations } from "./views/operations.js";
import { Data } from "./views/data.js";
import { Models } from "./views/models.js";
import { Functions } from "./views/functions.js";
import { Jobs } from "./views/jobs.js";
import { Logs } from "./views/logs.js";
import { Settings } from "./views/settings.js";
import { keepFocus } from "./keep-focus.js";
import { listen, useLive } from "./store.js";
import { chooseTheme, useTheme } from "./theme.js";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/parts.css";
import "./styles/graphs.css";

const views = {
  overview: { title: "Overview", view: Overview },
  nodes: { title: "Nodes", view: Nodes },
  operations: { title: "Operations", view: Operations },
  data: { title: "Data", view: Data },
  models: { title: "Models", view: Models },
  functions: { title: "Functions", view: Functions },
  jobs: { title: "Jobs", view: Jobs },
  logs: { title: "Logs", view: Logs },
  settings: { title: "Settings", view: Settings },
} as const;
type ViewName = keyof typeof views;

function viewOfAddress(): ViewName {
  const name = location.hash.replace(/^#\/?/, "").split("/")[0] ?? "";
  return Object.hasOwn(views, name) ? (name as ViewName) : "overview";
}

function Shell({ onLogOut }: { onLogOut: (() => void) | undefined }) {
  const [name, setName] = useState(viewOfAddress);
  useEffect(() => {
    const change = (): void => {
      setName(viewOfAddress());
      // The new view begins where a reader of the screen expects it.
      document.getElementById("main")?.focus({ preventScroll: true });
      scrollTo(0, 0);
    };
    addEventListener("hashchange", change);
    return () => removeEventListener("hashchange", change);
  }, []);
  useEffect(() => listen(), []);
  const id = useLive((live) => live.status?.id);
  const { title, view: View } = views[name];
  useEffect(() => {
    document.title = id === undefined ? title : `${title} · ${id}`;
  }, [title, id]);
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <div class="shell">
        <header class="top">
          <a class="brand" href="#/overview">
            <img src="/icon.svg" alt="" width="24" height="24" />
            <span>
              tmc <b>{id ?? "node"}</b>
            </span>
          </a>
          <nav aria-label="Views">
            <ul>
              {Object.entries(views).map(([key, each]) => (
                <li key={key}>
                  <a href={`#/${key}`} aria-current={key === name ? "page" : undefined}>
                    {each.title}
                  </a>
                </li>
              ))}
            </ul>
          </nav>
          <div class="top-end">
            <NodeBadge />
            <ThemeButton />
            {onLogOut === undefined ? null : (
              <button type="button" class="quiet" onClick={onLogOut}>
                Log out
              </button>
            )}
          </div>
        </header>
        <main id="main" tabIndex={-1}>
          <h1>{title}</h1>
          <View />
        </main>
      </div>
    </>
  );
}

/** The address names the view, so the link must not change it. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function NodeBadge() {
  const { connected, status } = useLive((live) => live);
  if (!connected) {
    return (
      <span role="status">
        <Badge tone="bad">no connection</Badge>
      </span>
    );
  }
  const state = status?.state ?? "running";
  return (
    <span role="status">
      <Badge tone={state === "running" ? "ok" : "warn"}>{state}</Badge>
    </span>
  );
}

function ThemeButton() {
  const theme = useTheme();
  const other = theme === "dark" ? "light" : "dark";
  return (
    <button type="button" class="icon" aria-label={`Use ${other} colours`} onClick={() => chooseTheme(other)}>
      <svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">
        <circle cx="9" cy="9" r="6.5" fill="none" stroke="currentColor" stroke-width="1.5" />
        <path d="M9 2.5a6.5 6.5 0 0 1 0 13z" fill="currentColor" />
      </svg>
    </button>
  );
}

interface Session {
  readonly loggedIn: boolean;
  readonly open: boolean;
}

function App() {
  const [session, setSession] = useState<Session | "unknown" | "unreachable">("unknown");
  const ask = (): void => {
    request<Session>("GET", "/api/v1/session").then(setSession, () => setSession("unreachable"));
  };
  useEffect(() => {
    whenLoggedOut(() => setSession({ loggedIn: false, open: false }));
    ask();
  }, []);
  useEffect(() => {
    if (session !== "unreachable") return;
    const again = setInterval(ask, 3000);
    return () => clearInterval(again);
  }, [session]);
  if (session === "unknown") return <p class="loading">…</p>;
  if (session === "unreachable") {
    return (
      <div class="log-in">
        <h1>The node does not answer</h1>
        <p>
          Is it running? <code class="command">tmc node start</code>
        </p>
        <button type="button" onClick={ask}>
          Try again
        </button>
      </div>
    );
  }
  if (!session.loggedIn) return <LogIn onLoggedIn={ask} />;
  const logOut = (): void => {
    request("DELETE", "/api/v1/session")
      .finally(() => setSession({ loggedIn: false, open: false }))
      .catch(() => undefined);
  };
  return <Shell onLogOut={session.open ? undefined : logOut} />;
}

const root = document.getElementById("app");
if (root !== null) render(<App />, root);
keepFocus();
