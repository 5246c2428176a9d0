complete --keep-order --exclusive --command aosctl --arguments "(AOSCTL_COMPLETE=fish aosctl -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
