// The reader follows in the next commit.
