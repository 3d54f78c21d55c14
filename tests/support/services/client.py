"""A client for tests: GETs until a file exists. Arguments: VIP, that file, the file of results."""

import http.client
import json
import ssl
import sys
import time
from pathlib import Path

TIMEOUT_S = 30
vip, stop, results = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
history = []
while not stop.exists():
    begun = time.monotonic()
    answer = {"status": 0, "server": "", "balancer": "", "error": ""}
    try:
        connection = http.client.HTTPSConnection(vip, timeout=TIMEOUT_S, context=context)
        connection.request("GET", "/")
        response = connection.getresponse()
        response.read()
        answer["status"] = response.status
        answer["server"] = response.getheader("X-Served-By", "")
        answer["balancer"] = response.getheader("X-Load-Balancer", "")
        connection.close()
    except (OSError, http.client.HTTPException) as error:
        answer["error"] = repr(error)
    answer["seconds"] = time.monotonic() - begun
    history.append(answer)
    Path(f"{results}.count").write_text(str(len(history)))
results.write_text(json.dumps(history))
