"""WordPress: its REST API for the control plane (`Site`), and the way to it for the data plane (`Upstream`)."""
