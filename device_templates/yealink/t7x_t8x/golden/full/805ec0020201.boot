#!version:1.0.0.1
include:config "y000000000184.cfg"
include:config "$MAC.cfg"
overwrite_mode = 1
