// Two things that Chainlit's page does not do by itself (docs: surfaces/chat).
(() => {
  // A phone wakes before its network: a log-in is not lost because one request failed.
  const plainFetch = window.fetch.bind(window);
  const patient = async (input, init) => {
    const url = new URL(typeof input === 'string' ? input : input.url, location.href);
    for (let wait = 400; ; wait *= 2) {
      try {
        return await plainFetch(input, init);
      } catch (error) {
        if (url.pathname !== '/user' || wait > 6400) throw error;
        await new Promise((go) => setTimeout(go, wait));
      }
    }
  };
  window.fetch = patient;

  // On a narrow screen the address keeps saying "/" after the first words; a reload would lose the conversation.
  window.addEventListener('message', (event) => {
    const told = event.data;
    if (event.source === window && told && told.type === 'steward.thread' && location.pathname === '/') {
      history.replaceState(history.state, '', `/thread/${told.id}`);
    }
  });
})();
