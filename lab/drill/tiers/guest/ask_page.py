"""usage: ask_page.py ADDRESS PORT TIMEOUT_S - the status of a page, which is not its health."""

import http.client
import sys

address, port, timeout = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
connection = http.client.HTTPConnection(address, port, timeout=timeout)
try:
    connection.request("GET", "/")
    sys.stdout.write(str(connection.getresponse().status))
except OSError as error:
    sys.exit("{}:{} gives no page: {}".format(address, port, error or "it says nothing"))
