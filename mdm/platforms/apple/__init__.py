"""The interpreter for iPhones and iPads: Apple's device management protocol, bytes in and bytes out. Knows no Flask."""
