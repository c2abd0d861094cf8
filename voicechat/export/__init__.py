"""All that is kept about one person, as a ZIP. `contents` says which rows those are, `archive` writes them, `ordering`
has large ones made by a job; `views` and the command `export_person` are its doors."""
