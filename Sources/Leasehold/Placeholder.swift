package let placeholderLeasehold = 0
