// Every file of these tests starts programs.
@_exported import TestSupport
