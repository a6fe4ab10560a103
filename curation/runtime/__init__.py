"""What every run needs: errors, progress and interrupts, whole files, locks, processes, caches and stores."""
