"""What reads packets: a process of its own, the only place that knows scapy. It knows no database and no room of the house.

It is given a capture or a raw socket, and writes JSON lines. What it writes is as untrusted as the packets are.
"""
