// Asks once a second which machine answers, so that a failover can be watched.
setInterval(async () => {
  try {
    const answer = await fetch("/whoami", { cache: "no-store" });
    for (const [key, value] of Object.entries(await answer.json())) {
      document.getElementById(key).textContent = value;
    }
  } catch {
    document.getElementById("machine").textContent = "no answer";
  }
}, 1000);
