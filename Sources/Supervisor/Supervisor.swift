// What this module is: spec/supervisor.md.
