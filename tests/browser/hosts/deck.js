globalThis.deck = new Reveal({ transition: "none", hash: false });
globalThis.deck.initialize();
