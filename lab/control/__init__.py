"""Remote control of physical phones: `command` is what a driver says, `caller` carries it over HTTP, `controls` owns
what is under way, `driven` shows such a phone to plans. The dialects are `lab.drivers`, a module a vendor."""
