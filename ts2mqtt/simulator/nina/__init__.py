"""A simulated N.I.N.A. with the plugin Advanced API: live events over a WebSocket, and a few REST calls.

nina = SimulatedNina(observatory)                        # what N.I.N.A. says of the rig, without a socket
server = NinaServer(observatory, clock=clock)            # the same at ws://127.0.0.1:PORT/v2/socket and /v2/api/…
"""
