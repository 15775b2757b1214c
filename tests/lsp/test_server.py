"""The language server, as an editor meets it: over standard input and output."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from editor import at, editor, named, run
from lsprotocol import types
from pygls.exceptions import JsonRpcException

PROGRAM = """\
import "parts/people.lace"

let old = pensioner or age > 68
def both(a, b) = a and b

for who in female, male {
  sample 4 from ffhq
    where both(old, gender=who) and yaw=left
    as "{who}"
}
sample 2 from ffhq where old with heun(tolerance=1e-3) as 𝔪𝔢𝔫
edit 𝔪𝔢𝔫 { smile = 1  age = 40 }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "people.lace").write_text("let pensioner = age > 65\n", "utf-8")
    (tmp_path / "main.lace").write_text(PROGRAM, "utf-8")
    return tmp_path


def test_a_conversation(folder: Path) -> None:
    main = (folder / "main.lace").as_uri()
    people = (folder / "parts" / "people.lace").as_uri()

    async def conversation() -> None:
        async with editor(folder) as client:
            client.open(main, PROGRAM)
            assert await client.diagnostics(main) == []

            def here(needle: str, by: int = 0) -> dict[str, object]:
                return {"text_document": named(main), "position": at(PROGRAM, needle, by)}

            said = await client.text_document_hover_async(types.HoverParams(**here("yaw")))
            assert said is not None
            assert "▂▃▃▄▅▇███" in said.contents.value
            assert said.range.end.character - said.range.start.character == 3

            found = await client.text_document_completion_async(
                types.CompletionParams(**here("left", 2))
            )
            (left,) = found.items
            assert left.label == "left" or left.text_edit.new_text == "left"

            called = await client.text_document_signature_help_async(
                types.SignatureHelpParams(**here("gender=who)"))
            )
            assert called.signatures[0].label == "both(a, b)"
            assert called.active_parameter == 1

            defined = await client.text_document_definition_async(
                types.DefinitionParams(**here("pensioner"))
            )
            assert (defined.uri, defined.range.start) == (people, types.Position(0, 4))
            shared = await client.text_document_definition_async(
                types.DefinitionParams(**here("yaw"))
            )
            assert shared.uri.endswith("stdlib/ffhq.lace")

            context = types.ReferenceContext(include_declaration=True)
            used = await client.text_document_references_async(
                types.ReferenceParams(**here("pensioner"), context=context)
            )
            assert {place.uri for place in used} == {main, people}

            renamed = await client.text_document_rename_async(
                types.RenameParams(**here("pensioner"), new_name="retired")
            )
            changes = {e.text_document.uri: e for e in renamed.document_changes}
            assert set(changes) == {main, people}
            assert changes[main].text_document.version == 1
            assert changes[people].text_document.version is None

            # Astral letters are two units each.
            ranged = await client.text_document_prepare_rename_async(
                types.PrepareRenameParams(**here("𝔪𝔢𝔫 {", 1))
            )
            assert (ranged.start.character, ranged.end.character) == (5, 11)
            with pytest.raises(JsonRpcException, match=r"no name that this program gives"):
                await client.text_document_rename_async(
                    types.RenameParams(**here("ffhq"), new_name="cats")
                )

            outline = await client.text_document_document_symbol_async(
                types.DocumentSymbolParams(named(main))
            )
            names = [symbol.name for symbol in outline]
            assert names == ["parts/people.lace", "old", "both", "who", "𝔪𝔢𝔫", "edit"]
            everywhere = await client.workspace_symbol_async(types.WorkspaceSymbolParams("pens"))
            assert [symbol.location.uri for symbol in everywhere] == [people]

            folds = await client.text_document_folding_range_async(
                types.FoldingRangeParams(named(main))
            )
            assert (5, 9) in {(fold.start_line, fold.end_line) for fold in folds}
            tokens = await client.text_document_semantic_tokens_full_async(
                types.SemanticTokensParams(named(main))
            )
            assert len(tokens.data) % 5 == 0
            assert len(tokens.data) > 5 * 50

    run(conversation)


def test_what_is_unsaved_is_what_importers_see(folder: Path) -> None:
    main = (folder / "main.lace").as_uri()
    people = (folder / "parts" / "people.lace").as_uri()

    async def conversation() -> None:
        async with editor(folder) as client:
            client.open(main, PROGRAM)
            client.open(people, "let pensioner = age > 65\n")
            assert await client.diagnostics(main) == []
            client.change(people, "let retired = age > 65\n", 2)
            (one,) = await client.diagnostics(main, until=bool)
            assert one.code == "LACE103"
            client.change(people, "let pensioner = age > > 65\n", 3)
            found = await client.diagnostics(
                main, until=lambda made: any("people.lace" in d.message for d in made)
            )
            assert at(PROGRAM, '"parts') in [one.range.start for one in found]
            client.change(people, "let pensioner = age > 65\n", 4)
            assert await client.diagnostics(main, until=lambda made: not made) == []

    run(conversation)


def test_the_last_of_many_edits_counts(tmp_path: Path) -> None:
    uri = (tmp_path / "a.lace").as_uri()

    async def conversation() -> None:
        async with editor(tmp_path) as client:
            client.open(uri, "sample from ffhq")
            for version in range(2, 30):
                client.change(uri, "sample from ffhq where smile=" + "(" * version, version)
            client.change(uri, "sample 4 frm ffhq", 30)
            (one,) = await client.diagnostics(uri, 30)
            assert one.code == "LACE010"
            assert one.message.endswith("hint: did you mean `from`?")
            actions = await client.text_document_code_action_async(
                types.CodeActionParams(named(uri), one.range, types.CodeActionContext([one]))
            )
            (edit,) = actions[0].edit.document_changes
            assert (edit.text_document.version, edit.edits[0].new_text) == (30, "from")
            laid = await client.text_document_formatting_async(
                types.DocumentFormattingParams(named(uri), types.FormattingOptions(2, True))
            )
            assert not laid

    run(conversation)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_places_are_counted_as_agreed(tmp_path: Path, encoding: str) -> None:
    # An astral letter, a combining mark, and an end of line that the protocol does not know.
    text = "let 𝔁e\u0301 = age > 60 # \u2028sample 4 from ffhq where 𝔁e\u0301 and smle=1\n"
    uri = (tmp_path / "a.lace").as_uri()
    unit = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
    coded = "utf-8" if unit == 1 else f"{encoding}-le"
    start = len(text[: text.index("smle")].encode(coded)) // unit

    async def conversation() -> None:
        async with editor(tmp_path, [types.PositionEncodingKind(encoding)]) as client:
            client.open(uri, text)
            (one,) = [d for d in await client.diagnostics(uri) if d.code == "LACE102"]
            assert one.range == types.Range(types.Position(0, start), types.Position(0, start + 4))

    run(conversation)


def test_a_strangers_file_is_only_read(tmp_path: Path) -> None:
    home = tmp_path / "home"
    work = tmp_path / "work"
    work.mkdir()
    home.mkdir()
    (tmp_path / "secret.lace").write_text("let secret = age > 1\n", "utf-8")
    hostile = (
        'import "../secret.lace"\nmodel m { generator mobilestylegan from "nobody-has-this==1" '
        'sha256 "' + "0" * 64 + '"\n classifiers "m.safetensors" on w\n attribute a : binary }\n'
        "sample from m where a=1 and secret\n" + "(" * 5000
    )
    uri = (work / "a.lace").as_uri()

    async def conversation() -> None:
        env = {"HOME": str(home), "XDG_CACHE_HOME": str(home / "c"), "LACELANG_MODELS": str(home)}
        async with editor(work, **env) as client:
            client.open(uri, hostile)
            found = await client.diagnostics(uri)
            assert "LACE121" in {one.code for one in found}
            said = await client.text_document_hover_async(
                types.HoverParams(named(uri), at(hostile, "secret\n"))
            )
            assert said is None or "age" not in said.contents.value

    run(conversation)
    left = {path for path in tmp_path.rglob("*") if path.is_file()}
    # The server's own: the tables of its grammar.
    left -= set(home.glob("c/lacelang/grammar-*.json"))
    assert left == {tmp_path / "secret.lace"}


def test_a_request_can_be_cancelled(tmp_path: Path) -> None:
    uri = (tmp_path / "a.lace").as_uri()

    async def conversation() -> None:
        async with editor(tmp_path) as client:
            client.open(uri, "sample from ffhq where smile=1")
            asked = [
                asyncio.ensure_future(
                    client.text_document_hover_async(
                        types.HoverParams(named(uri), types.Position(0, 24))
                    )
                )
                for _ in range(5)
            ]
            for one in asked[1:]:
                one.cancel()
            first = await asked[0]
            assert first is not None
            assert await client.diagnostics(uri) == []

    run(conversation)
