"""A page of test episodes: supports with masks, the regions of v_pri and v_aux, predictions of the query, truth.

reads   index.json, episodes.json, FEATURES, weights.safetensors    as scl_evaluate
writes  PAGE                                                        PNG
"""

from wsss_stages.config import options
from wsss_stages.stages import cli


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.SclEvaluate,
        argv,
        paths={
            "index": "index.json",
            "episodes": "episodes.json",
            "features+": "manifests of scl_features",
            "weights": "weights of scl_train",
            "page>": "PNG to write",
        },
        texts={"images": ("12", "rows")} | cli.DEVICE,
    )
    from wsss_stages.data.few_shot.episodes import Episodes
    from wsss_stages.data.index import Index
    from wsss_stages.evaluation import figures
    from wsss_stages.roads.episode_pictures import LEGEND, EpisodePictures, classes_in_turn
    from wsss_stages.shards.frozen_maps import Frozen
    from wsss_stages.stages import devices
    from wsss_stages.training.networks import restore_few_shot

    device = devices.pick(paths.device)
    index, episodes = Index.read(paths.index), Episodes.read(paths.episodes)
    network, metadata = restore_few_shot(paths.weights, opt)
    devices.move(network, device)
    frozen = Frozen(index, paths.features, network.head.deep)
    frozen.check_options(metadata["features"])
    pictures = EpisodePictures(network, frozen, opt.cross_path, device)
    shown = classes_in_turn(episodes.test[0], int(paths.images))
    rows = [pictures.row(episode) for episode in shown]
    names = [f"{index.classes[e.cls]}\n…{e.query[-16:]}" for e in shown]
    cells = [list(row.values()) for row in rows]
    figures.save(figures.rows_figure(list(rows[0]), cells, names, LEGEND), paths.page)


if __name__ == "__main__":
    cli.run(main)
