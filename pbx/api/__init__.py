"""`/ns-api/v2`: the domain's REST interface, shaped like the platform's, so that clients written for it work here.

A resource is one file of `resources/`: its fields on both sides (`shapes`) and its routes (`routes`). `server` takes a
request and answers it, without a socket; `http` is the shell around it.
"""
