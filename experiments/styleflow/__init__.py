"""StyleFlow on the labels of `ffhq`: the flow, its training, conditional samples and edits."""
