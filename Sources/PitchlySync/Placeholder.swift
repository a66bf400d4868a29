package let placeholderPitchlySync = 0
