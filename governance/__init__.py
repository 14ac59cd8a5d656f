"""What binds everyone: the words, and the rules that hold in every folder."""
