namespace TinyLlm.EndToEnd.Tests.Crash;

/// <summary>What the host has acknowledged to one user, and what it was asked to delete: the truth that it is held to.</summary>
internal sealed class Ledger(string user, string token)
{
    private readonly Lock gate = new();
    private readonly SortedDictionary<int, Entry> versions = [];

    private sealed record Entry(string Mark, string Digest, bool Deleting);

    public string User => user;

    public string Token => token;

    /// <summary>Commits that were acknowledged, deleted ones included.</summary>
    public int Commits { get; private set; }

    /// <summary>A commit was answered.</summary>
    public void Commit(int version, string mark, string digest)
    {
        lock (gate)
        {
            Assert.True(versions.TryAdd(version, new Entry(mark, digest, false)), $"{user}: version {version} was acknowledged twice");
            Commits++;
        }
    }

    /// <summary>The oldest version, from now on about to be deleted, once there are more than <paramref name="kept"/>.</summary>
    public int? BeginDeletion(int kept)
    {
        lock (gate)
        {
            if (versions.Count(pair => !pair.Value.Deleting) <= kept) return null;
            int oldest = versions.First(pair => !pair.Value.Deleting).Key;
            versions[oldest] = versions[oldest] with { Deleting = true };
            return oldest;
        }
    }

    /// <summary>What must be there, as long as nobody deletes it: number and digest.</summary>
    public Dictionary<int, string> Kept()
    {
        lock (gate) return versions.Where(pair => !pair.Value.Deleting).ToDictionary(pair => pair.Key, pair => pair.Value.Digest);
    }

    public bool IsDeleting(int version)
    {
        lock (gate) return versions.TryGetValue(version, out Entry? entry) && entry.Deleting;
    }

    /// <summary>The mark of an acknowledged version; null when its acknowledgement was cut off.</summary>
    public string? MarkOf(int version)
    {
        lock (gate) return versions.GetValueOrDefault(version)?.Mark;
    }
}
