import { words } from "../shared/words";

/** Every key of the phone, by where it works. */
export default function KeysList() {
  return (
    <div className="keys-list">
      {words.keys.groups.map((g) => (
        <section key={g.title} aria-label={g.title}>
          <h3>{g.title}</h3>
          <dl>
            {g.rows.map(([keys, does]) => (
              <div key={keys}>
                <dt>
                  {keys.split(" ").map((k) => (
                    <kbd key={k}>{k}</kbd>
                  ))}
                </dt>
                <dd>{does}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
      <p className="quiet">{words.keys.rest}</p>
    </div>
  );
}
