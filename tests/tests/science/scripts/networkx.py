import networkx as nx


def main():
    graph = nx.karate_club_graph()
    weights = nx.Graph(
        [("a", "b", {"weight": 2}), ("b", "c", {"weight": 1}), ("a", "c", {"weight": 5})]
    )
    return {
        "path": nx.shortest_path(weights, "a", "c", weight="weight"),
        "groups": len(nx.community.greedy_modularity_communities(graph)),
        "rank": round(nx.pagerank(graph)[33], 6),
        "tree": sorted(map(sorted, nx.minimum_spanning_tree(weights).edges)),
    }
