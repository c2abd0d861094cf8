// As docs/live.md has it, with the address given.
export async function follow(address, token, apply) {
  let place = "", pause = 1000;
  for (;;) {
    try {
      const headers = { Authorization: `Bearer ${await token()}` };
      if (place) headers["Last-Event-ID"] = place;
      const answer = await fetch(address, { headers });
      if (answer.status === 401) await token({ fresh: true });
      const reader = answer.ok && answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let text = ""; reader; ) {
        const { value, done } = await reader.read();
        if (done) break;
        const blocks = (text + value).split("\n\n");
        text = blocks.pop();
        for (const block of blocks) {
          const field = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s)));
          if (field.retry) pause = Number(field.retry);
          if (!field.event) continue;
          await apply(field.event, JSON.parse(field.data));
          place = field.id;
        }
      }
    } catch (error) {
      console.warn("The stream was cut", error);
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
