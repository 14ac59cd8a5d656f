// A run: its plan as a picture, what the checker says, and every step as it stands.
const MARKS = { planned: '·', waiting: '◆', running: '●', done: '✓', found: '✓', skipped: '–', failed: '✕', refused: '✕', unknown: '?' };

function Step({ step }) {
  return (
    <li data-step={step.id} data-state={step.state}>
      <details>
        <summary className={'sw-' + step.state}>
          <span className="sw-mark" aria-hidden="true">{MARKS[step.state] || '·'}</span>
          <span className="sw-name" style={{ color: 'hsl(var(--card-foreground))' }}>{step.id}</span>
          <span className="sw-what">{step.note || step.tool}</span>
          <span className="sw-state">{step.state}</span>
        </summary>
        <div className="sw-more">
          <p>{step.reason} <span className="sw-dim">({step.confidence} sure)</span></p>
          <p className="sw-dim">{step.tool}{step.ruling ? ` · ${step.ruling}` : ''}{step.took ? ` · ${step.took}` : ''}</p>
          {step.problem && <p className="sw-problem">{step.problem}</p>}
          {step.args && <div><h4>Arguments</h4><pre>{step.args}</pre></div>}
          {step.output && <div><h4>Result</h4><pre>{step.output}</pre></div>}
        </div>
      </details>
    </li>
  );
}

export default function RunCard() {
  const { id, title, status, waiting, steps = [], picture, findings = [], revision, plan, planner, report, parked } = props;
  return (
    <section className="sw" data-card="run" data-run={id} data-status={status}>
      <div className="sw-head">
        <div><h3>{title}</h3><p className="sw-dim">{plan} <span className="sw-source">run {String(id).slice(0, 13)} · <a data-part="decisions" href={`/runs/${id}/decisions`} target="_blank" rel="noopener">all decisions</a></span></p></div>
        <span className={'sw-badge sw-' + status}>{status}</span>
      </div>
      {waiting && <p className="sw-waiting">Waits for {waiting}.</p>}
      {parked && <p className="sw-note">{parked}</p>}
      {steps.length > 0 && <h4>Steps</h4>}
      <ul className="sw-steps">{steps.map((step) => <Step key={step.id} step={step} />)}</ul>
      {picture && (
        <details data-part="plan">
          <summary>Plan as a graph{revision > 1 ? `, revision ${revision}` : ''}</summary>
          {planner && <p className="sw-source">{planner}</p>}
          <div className="sw-picture" dangerouslySetInnerHTML={{ __html: picture }} />
        </details>)}
      {steps.length > 0 && (
        <p className="sw-source" style={{ marginTop: 10 }}>
          {findings.length === 0 ? 'The checker has no findings.' : `The checker has ${findings.length} finding(s):`}</p>)}
      {findings.length > 0 && <ul className="sw-undo">{findings.map((f, n) => <li key={n}>{f}</li>)}</ul>}
      {report && <p className="sw-note" style={{ whiteSpace: 'pre-wrap' }}>{report}</p>}
    </section>
  );
}
