"""What stored values about a service point's network are called. Sentences of the catalogues, by the value."""

from mdm.core.errors import N_

NETWORK_KINDS = {
    "camera": N_("Camera"),
    "computer": N_("Computer"),
    "network": N_("Network equipment"),
    "phone": N_("Phone"),
    "printer": N_("Printer"),
    "screen": N_("Screen or player"),
    "server": N_("Server"),
    "tablet": N_("Tablet"),
    "telephone": N_("Desk telephone"),
    "unknown": N_("Unknown"),
}
MATCHES = {
    "mac": N_("by its network card"),
    "name": N_("by its host name, which anybody can claim"),
    "serial": N_("by its serial number"),
}
DISCOVERY_PROBLEMS = {
    "compressed": N_("The file is compressed. Unpack it first."),
    "interrupted": N_("Nobody listened until the end: the server was away."),
    "listen": N_("The network could not be listened to."),
    "lost": N_("The file was gone before it was read."),
    "no_address": N_("The interface has no IPv4 address, so nobody could be asked."),
    "no_addresses": N_(
        "The packets have no hardware addresses (a tunnel, the loopback, or IP alone). Capture on the network's own interface."
    ),
    "no_interface": N_("There is no such network interface on the server."),
    "no_right": N_("The server has no right to listen: see docs/discovery.md for its service."),
    "not_a_capture": N_("The file is no capture (pcap or pcapng)."),
    "not_allowed": N_("The interface's network is not in discovery_networks, so nobody could be asked."),
    "old_variant": N_(
        "The file is of an old variant of pcap that is not read. Open it in Wireshark and save it as pcapng."
    ),
    "other_link": N_("The capture is not of an Ethernet network."),
    "reader_died": N_("The process that reads captures died again and again; the file may be made to do that."),
    "stopped": N_("It was stopped before it began."),
    "too_large": N_("The capture is too long."),
    "too_wide": N_("More than 4096 addresses would have been asked. Name a smaller network in discovery_networks."),
    "unavailable": N_("The service that listens does not answer: is its socket unit running?"),
    "wireless_link": N_(
        "This is Wi-Fi as it is heard on the air (802.11), which is not read. Capture on the wired side of the access "
        "point, or on a device that is joined to the network."
    ),
}
