"""What both HTTP faces share: problems, strict input, one transaction per request, paging, and who is asking."""
