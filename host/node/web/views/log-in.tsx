/** Asks for the token; a session cookie that scripts cannot read takes its place. */
import { useState } from "preact/hooks";
import { post } from "../api.js";
import { Failure } from "../parts/basic.js";

export function LogIn({ onLoggedIn }: { onLoggedIn: () => void }) {
  const [token, setToken] = useState("");
  const [error, setError] = useState<unknown>();
  const submit = (event: Event): void => {
    event.preventDefault();
    post("/session", { token: token.trim() }).then(() => {
      setToken("");
      onLoggedIn();
    }, setError);
  };
  return (
    <main class="log-in">
      <img src="/icon.svg" alt="" width="40" height="40" />
      <h1>Log in to this node</h1>
      <form onSubmit={submit}>
        <label for="token">Token</label>
        <input
          id="token"
          type="password"
          autocomplete="current-password"
          required
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
        <Failure error={error} />
        <button type="submit" class="primary">
          Log in
        </button>
      </form>
      <p class="muted">
        It is in the file <code>token</code> of the node's state folder:{" "}
        <code class="command">cat tmc-node/token</code>
      </p>
    </main>
  );
}
