"""All attacks by their names: those that end within seconds and need no root are quick, and tests."""

from tests.attacks import resources, storage, trust
from tests.attacks.box import Attack

QUICK: tuple[Attack, ...] = (
    resources.notify_leaves_its_group,
    resources.notify_leaves_a_daemon,
    resources.file_size_limit,
    resources.second_run,
    resources.lock_of_a_stranger,
    storage.gzip_beside_its_text,
    storage.damaged_replies,
    storage.only_file_is_broken,
    trust.tampered_cursor,
    trust.checkout_of_a_stranger,
    trust.links_in_the_data_directory,
    trust.paths_with_control_characters,
    trust.open_umask,
    trust.names_of_others,
)
SLOW: tuple[Attack, ...] = (
    resources.out_of_descriptors,
    resources.no_more_inodes,
    resources.every_signal,
    resources.killed_again_and_again,
    resources.data_vanishes,
    resources.screen_that_cannot_be_written,
    resources.unreadable_configuration,
    storage.fifo_in_place_of_a_file,
    storage.hole_or_bomb_at_the_start,
    storage.damaged_segments,
    storage.hostile_corpus,
    storage.long_ranges,
    storage.files_of_the_owner,
    storage.full_disk,
    trust.names_of_hosts,
    trust.configuration_that_others_may_write,
    trust.output_over_a_link_of_a_stranger,
    trust.query_reads_nothing_else,
    trust.query_that_is_ended,
    trust.clock_that_is_wrong_for_a_day,
    trust.process_with_a_strange_name,
    trust.process_with_little_memory,
)
ATTACKS: dict[str, Attack] = {attack.__name__: attack for attack in (*QUICK, *SLOW)}
