package let placeholderJobQueue = 0
