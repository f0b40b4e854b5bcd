"""The table of keys: nothing twice, nothing out of reach, and the user's changes are checked."""

from __future__ import annotations

import pytest

from tui import keys


def test_ids_are_unique_and_every_command_says_what_it_does() -> None:
    assert len(keys.BY_ID) == len(keys.COMMANDS)
    for command in keys.COMMANDS:
        assert command.action
        assert command.label
        assert len(command.label) <= 16
        assert command.help.endswith(".")


def test_no_key_means_two_things_at_the_same_time() -> None:
    assert list(keys.clashes(keys.Keymap())) == []


def test_keys_that_terminals_keep_are_never_the_only_way() -> None:
    for command in keys.COMMANDS:
        free = [key for key in command.keys if key not in keys.NEVER_ALONE and not key.startswith("alt+")]
        assert free or not command.keys, command.id


def test_a_command_without_a_key_stands_in_the_palette() -> None:
    assert all(command.listed for command in keys.COMMANDS if not command.keys)


def test_every_scope_is_live_somewhere() -> None:
    live = frozenset().union(*keys.TOGETHER)
    for command in keys.COMMANDS:
        assert live.issuperset(command.scopes)


def test_no_bare_key_deletes_and_capitals_reach_outside() -> None:
    for command in keys.COMMANDS:
        assert "delete" not in command.action
        if command.outside:
            assert all(key.isupper() for key in command.keys)


def test_footer_shows_at_most_eight_known_keys() -> None:
    for places in keys.FOOTERS.values():
        assert len(places) <= 8
        assert all(command_id in keys.BY_ID for place in places for command_id in place)


def test_bindings_keep_ids_so_that_a_keymap_can_move_them() -> None:
    made = keys.bindings("everywhere")
    assert {binding.id for binding in made} == {
        command.id for command in keys.COMMANDS if "everywhere" in command.scopes and command.keys
    }


@pytest.mark.parametrize(
    ("text", "stored", "shown"),
    [
        ("e", ("e",), "e"),
        (" e , ctrl+x ", ("e", "ctrl+x"), "e"),
        ("question_mark", ("?",), "?"),
        ("Pgdn", ("pagedown",), "pgdn"),
        ("comma", (",",), ","),
        ("Ctrl+T", ("ctrl+t",), "ctrl+t"),
        ("backslash", ("\\",), "\\"),
        ("F5", ("f5",), "f5"),
    ],
)
def test_a_user_may_write_keys_in_any_spelling(text: str, stored: tuple[str, ...], shown: str) -> None:
    changes = {"unfold": text}
    if text == "question_mark":
        changes["help"] = "B"
    if text == "Pgdn":
        changes["move.page_down"] = "B"
    live = keys.keymap(changes)
    assert live.keys(keys.BY_ID["unfold"]) == stored
    assert live.shown("unfold") == shown
    assert live.for_textual()["unfold"] == ",".join("comma" if key == "," else key for key in stored)


def test_keys_may_be_swapped() -> None:
    live = keys.keymap({"resolve": "u", "unfold": "x"})
    assert (live.shown("resolve"), live.shown("unfold")) == ("u", "x")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"reslove": "e"}, "there is no command 'reslove'. Did you mean 'resolve'?"),
        ({"zzzz": "e"}, "there is no command 'zzzz'."),
        ({"resolve": "z"}, "'z' would mean both 'undo' and 'resolve'"),
        ({"resolve": "enter"}, "'⏎' would mean both"),
        ({"resolve": " , "}, "'resolve' is left without a key"),
        ({"resolve": "hyper_banana"}, "'hyper_banana', which is no key's name"),
    ],
)
def test_a_keymap_that_cannot_hold_is_refused_with_a_sentence(changes: dict[str, str], sentence: str) -> None:
    with pytest.raises(keys.KeymapError) as refused:
        keys.keymap(changes)
    assert sentence in str(refused.value)


def test_the_same_key_is_free_where_it_is_never_live_together() -> None:
    live = keys.keymap({"menu": "J", "record.next": "B"})
    assert live.shown("menu") == "J"
