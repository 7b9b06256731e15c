"""The network between a site and the provider: what it does to datagrams, and how it is found out from the site.

`router` is a site's router (NAT, ALG, timeouts), `presets` are networks by name; `mirror` is the provider's end of an
assessment, `probe` the site's, `findings` the verdict with its remedies. All four are pure; `host` puts a pure end
on real sockets, `relay` is a bad network between real sockets, `virtual_site` a site of a virtual world.
"""
