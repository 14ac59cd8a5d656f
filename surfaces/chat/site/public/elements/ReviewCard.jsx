// A question put to people. What it shows comes from Steward's own rows; what it sends is authorised by the server.
import { useEffect, useRef, useState } from 'react';

const WORDS = { happened: 'It happened', did_not_happen: 'It did not happen', resume: 'Resume the run', undo: 'Undo what was done', close: 'Close the run' };
const REASONS = ['Data is wrong', 'Not needed', 'Against a rule', 'Needs more information', 'Other'];
const seen = (window.stewardSeen = window.stewardSeen || new Set());

function when(text) {
  if (!text) return '';
  return new Date(text).toLocaleString('en-GB', { day: 'numeric', month: 'long', year: 'numeric', hour: '2-digit', minute: '2-digit' });
}

function Field({ field, value, onChange }) {
  const id = `${props.id}-${field.name}`;
  const common = { id, value, onChange: (e) => onChange(e.target.value), 'data-field': field.name };
  return (
    <div>
      <label htmlFor={id}>{field.label} {field.required ? '' : <span className="sw-dim">(optional)</span>}</label>
      {field.kind === 'choice' ? <select {...common}>{!field.required && <option value="">(none)</option>}
        {field.choices.map((c) => <option key={c} value={c}>{c}</option>)}</select>
        : field.kind === 'json' || field.kind === 'text' ? <textarea {...common} rows={field.kind === 'json' ? 4 : 3} />
          : <input {...common} type={{ integer: 'number', number: 'number', date: 'date', email: 'email' }[field.kind] || 'text'}
              step={field.kind === 'integer' ? 1 : 'any'} />}
      {field.help && <p className="sw-source">{field.help}</p>}
    </div>
  );
}

function Reason({ code, setCode, text, setText, must }) {
  const id = `${props.id}-reason`;
  return (
    <div className="sw-fields">
      <div><label htmlFor={id + '-code'}>Reason</label>
        <select id={id + '-code'} data-field="reason-code" value={code} onChange={(e) => setCode(e.target.value)}>
          <option value="">Choose…</option>{REASONS.map((r) => <option key={r} value={r}>{r}</option>)}</select></div>
      <div><label htmlFor={id}>In your words {must ? '' : <span className="sw-dim">(optional)</span>}</label>
        <input id={id} data-field="reason" value={text} maxLength={1000} onChange={(e) => setText(e.target.value)}
          placeholder="what the requester will read" /></div>
    </div>
  );
}

export default function ReviewCard() {
  const open = props.status === 'open';
  const asks = open && props.may;
  const [mode, setMode] = useState('');
  const [code, setCode] = useState('');
  const [text, setText] = useState('');
  const [values, setValues] = useState(() => Object.fromEntries((props.form || []).map((f) => [f.name, f.value])));
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(null);
  const here = useRef(null);

  useEffect(() => {
    if (!asks || seen.has(props.key_)) return;
    seen.add(props.key_);
    setTimeout(() => here.current && here.current.scrollIntoView({ block: 'center', behavior: 'smooth' }), 150);
  }, []);

  useEffect(() => {
    if (mode && here.current) here.current.scrollIntoView({ block: mode === 'edit' ? 'start' : 'end', behavior: 'smooth' });
  }, [mode]);

  async function send(choice, more) {
    setBusy(true);
    setProblem(null);
    try {
      const told = await callAction({ name: 'decide', payload: { review: props.id, choice, code, text, ...more } });
      const answer = told && told.response;
      if (!answer) setProblem({ sentence: 'Steward did not answer. Nothing is lost; try again.' });
      else if (!answer.ok) setProblem(answer);
    } catch (error) {
      setProblem({ sentence: 'Steward could not be reached. Nothing is lost; try again.' });
    }
    setBusy(false);
  }

  const outcome = props.outcome;
  return (
    <section ref={here} className={'sw' + (asks ? ' sw-asks' : '')} data-card="review" data-review={props.id} data-status={props.status}
      data-step={props.step} data-kind={props.kind}>
      <div className="sw-head">
        <div><h3>{props.question}</h3><p className="sw-dim">{props.title}</p></div>
        <span className={'sw-badge ' + (open ? 'sw-open' : outcome ? 'sw-' + outcome.choice : '')}>{props.standing}</span>
      </div>
      {props.args.length > 0 && mode !== 'edit' && <table className="sw-table" style={{ marginTop: 10 }}><tbody>
        {props.args.map((a) => <tr key={a.name} data-arg={a.name}><td>{a.label}</td>
          <td style={{ whiteSpace: 'pre-wrap' }}>{a.value}</td></tr>)}</tbody></table>}
      {(props.findings || []).length > 0 && <div data-part="findings"><h4>What the checker says about the best plan</h4>
        <ul className="sw-undo">{props.findings.map((f, n) => <li key={n}>{f}</li>)}</ul>
        {props.steps.length > 0 && <details><summary className="sw-source">Its steps ({props.steps.length})</summary>
          <ol className="sw-undo">{props.steps.map((s, n) => <li key={n}>{s}</li>)}</ol></details>}</div>}
      {props.kind === 'parked' && props.undo.length === 0 && <p>Nothing was done yet, so there is nothing to undo.</p>}
      {props.undo.length > 0 && <div><h4>To undo what was done</h4>
        <ol className="sw-undo" data-part="undo">{props.undo.map((u, n) => <li key={n}>{u}</li>)}</ol></div>}
      <p className="sw-source" style={{ marginTop: 10 }}>Why this is asked: {props.why}</p>
      <p className="sw-source">{props.asker}; put {when(props.asked_at)}{props.due_at ? `, wanted by ${when(props.due_at)}${props.ends ? ', then refused' : ''}` : ''}</p>
      {open && (props.pressing || []).map((p) => <p key={p.word} className={p.mood === 'risk' ? 'sw-source sw-reject' : 'sw-source'} data-part="pressing">
        {p.word}{p.mood === 'risk' ? ' at ' : ', '}{when(p.at)}</p>)}
      {props.advice && open && <p className="sw-note">Recommendation: <b>{props.advice.choice}</b> ({props.advice.confidence} sure{props.advice.basis ? ` ${props.advice.basis}` : ''}, {props.advice.decider}).{' '}
        {props.advice.reasoning}{props.advice.evidence?.length ? ` Known: ${props.advice.evidence.join('; ')}.` : ''}</p>}
      {outcome && <p className="sw-note" data-part="outcome"><b className={'sw-' + outcome.choice}>{outcome.word}</b> by {outcome.by} on {when(outcome.at)}
        {outcome.reason ? <span>: {outcome.reason}</span> : '.'}</p>}
      {props.closed && <p className="sw-note">{props.closed}</p>}
      {open && !props.may && <p className="sw-note" data-part="waits">{props.why_not}</p>}

      {asks && mode === '' && <div className="sw-row">
        {props.allowed.includes('approve') && <button className="sw-btn sw-main" disabled={busy} onClick={() => send('approve')}>Approve</button>}
        {props.allowed.includes('edit') && props.form && <button className="sw-btn" disabled={busy} onClick={() => setMode('edit')}>Edit…</button>}
        {props.allowed.includes('reject') && <button className="sw-btn sw-stop" disabled={busy} onClick={() => setMode('reject')}>Reject…</button>}
        {props.responses.map((r, n) => <button key={r} className={'sw-btn' + (n === 0 ? ' sw-main' : '')} disabled={busy}
          onClick={() => send('respond', { response: r })}>{WORDS[r]}</button>)}
      </div>}
      {asks && props.kind === 'form' && props.form && <div data-part="form">
        <div className="sw-fields">{props.form.map((f) => <Field key={f.name} field={f} value={values[f.name]}
          onChange={(v) => setValues({ ...values, [f.name]: v })} />)}</div>
        <div className="sw-row"><button className="sw-btn sw-main" disabled={busy}
          onClick={() => send('respond', { response: 'answered', values })}>Send the answers</button></div>
      </div>}
      {asks && mode === 'edit' && <div data-part="edit">
        <h4>As it should be</h4>
        <div className="sw-fields">{props.form.map((f) => <Field key={f.name} field={f} value={values[f.name]}
          onChange={(v) => setValues({ ...values, [f.name]: v })} />)}</div>
      </div>}
      {asks && (mode === 'edit' || mode === 'reject') && <div>
        <Reason code={code} setCode={setCode} text={text} setText={setText} must={true} />
        <div className="sw-row">
          <button className={'sw-btn ' + (mode === 'reject' ? 'sw-stop' : 'sw-main')} disabled={busy}
            onClick={() => send(mode, mode === 'edit' ? { values } : {})}>{mode === 'edit' ? 'Approve it so' : 'Reject'}</button>
          <button className="sw-btn" disabled={busy} onClick={() => { setMode(''); setProblem(null); }}>Back</button>
        </div></div>}
      {problem && <div className="sw-problem" role="alert">{problem.sentence} {problem.hint}
        {(problem.findings || []).length > 0 && <ul className="sw-undo">{problem.findings.map((f, n) => <li key={n}>{f}</li>)}</ul>}</div>}
    </section>
  );
}
