using System.Diagnostics;
using System.Net;
using TinyLlm.EndToEnd.Tests.Harness;

namespace TinyLlm.EndToEnd.Tests.Crash;

/// <summary>
/// 1. Users upload, delete, list, download and chat, all at once. 2. Again and again the host is killed, at a moment that the seed chooses, and started
/// on the same data. 3. At the end everything is held to the ledgers and the disk is counted.
/// </summary>
internal sealed class CrashRun(int kills, int seed) : IAsyncDisposable
{
    private const int Users = 8;
    private const int Readers = 8;
    private const int MostRequestsBetweenKills = 300;
    private const string Collected = "Collected ";

    /// <summary>Passes of the collector after which nothing abandoned may be left: some more than the grace time has seconds.</summary>
    private const int MostPasses = 40;

    private readonly Random random = new(seed);
    private readonly List<Ledger> ledgers = [];

    private readonly RunningHost host = new()
    {
        // Short, so that the collector runs into everything else.
        Arguments = ["--TinyLlm:Collection:Grace", "00:00:10", "--TinyLlm:Collection:Interval", "00:00:01"],
    };

    public async Task<string> RunAsync()
    {
        Stopwatch time = Stopwatch.StartNew();
        await host.StartAsync();
        for (int i = 0; i < Users; i++)
        {
            using UserClient user = await UserClient.CreateAsync(host, $"user-{i}");
            ledgers.Add(new Ledger(user.Name, user.Token));
        }

        // 1.
        using HostDoor door = new(host);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        Uploader[] uploaders = [.. ledgers.Select(ledger => new Uploader(door, ledger, random.Next()))];
        Reader[] readers = [.. Enumerable.Range(0, Readers).Select(_ => new Reader(door, ledgers, random.Next()))];
        Task begun = Task.WhenAll(uploaders.Select(uploader => uploader.PublishAsync(stop.Token))); // so that readers have something to read
        door.Open();
        await begun;
        Task[] workers = [.. uploaders.Select(uploader => Task.Run(() => uploader.RunAsync(stop.Token))), .. readers.Select(reader => Task.Run(() => reader.RunAsync(stop.Token)))];

        // 2.
        for (int i = 0; i < kills; i++)
        {
            Task strike = door.BegunAsync(random.Next(1, MostRequestsBetweenKills));
            if (i > 0) door.Open();
            Task first = await Task.WhenAny([strike, .. workers]);
            if (first != strike) await first; // a worker never ends by itself
            await Task.Delay(random.Next(20)); // not a wait for anything: the blow shall not always fall when a request has just begun
            door.Close();
            host.Kill();
            door.DropConnections();
            await host.StartAsync();
        }

        // 3.
        door.Open();
        await stop.CancelAsync();
        await Task.WhenAll(workers.Select(EndAsync));
        int versions = await VerifyAsync(door, uploaders);
        Assert.True(ledgers.Sum(ledger => ledger.Commits) > Users && readers.Any(reader => reader.Downloads > 0) && readers.Any(reader => reader.Answers > 0), "nothing happened between the kills");
        return $"{kills} kills with seed {seed} in {time.Elapsed.TotalSeconds:F0} s: {ledgers.Sum(ledger => ledger.Commits)} commits acknowledged and none lost, "
            + $"{door.Answered} requests answered, {door.CutOff} cut off, {readers.Sum(reader => reader.Downloads)} whole versions downloaded, "
            + $"{readers.Sum(reader => reader.Answers)} completions, {versions} versions left";
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();

    private static async Task EndAsync(Task worker)
    {
        try
        {
            await worker;
        }
        catch (OperationCanceledException)
        {
            // It was told to end.
        }
    }

    private async Task<int> VerifyAsync(HostDoor door, Uploader[] uploaders)
    {
        foreach ((Uploader uploader, Ledger ledger) in uploaders.Zip(ledgers))
        {
            if (uploader.OpenUpload is not { } upload) continue;
            // A conflict: its commit went through, and only the answer was cut off.
            (await door.SendAsync(ledger.Token, HttpMethod.Delete, $"api/models/{Uploader.Model}/uploads/{upload}", null, TestContext.Current.CancellationToken))
                .Require("abandon", HttpStatusCode.NoContent, HttpStatusCode.Conflict);
        }

        // What a crash might leave: a version that nobody names, and half a write.
        host.Kill();
        string orphan = Directory.EnumerateDirectories(Path.Combine(host.DataFolder, "objects", "models")).First();
        orphan = Directory.CreateDirectory(Path.Combine(orphan, new string('0', 22))).FullName;
        await File.WriteAllTextAsync(Path.Combine(orphan, "README.md"), "nobody's");
        File.SetLastWriteTimeUtc(Path.Combine(orphan, "README.md"), DateTime.UtcNow.AddMinutes(-1));
        await File.WriteAllTextAsync(Path.Combine(host.DataFolder, "objects", ".tmp", "half"), "a write");
        await host.StartAsync();

        List<string> marks = [];
        foreach (UserClient user in ledgers.Select(ledger => UserClient.Known(host, ledger.User, ledger.Token)))
        {
            using (user) marks.AddRange(await MarksAsync(user, ledgers.Single(ledger => ledger.User == user.Name)));
        }
        Assert.Equal(marks.Count, marks.Distinct().Count()); // no commit was published twice

        DiskRecount? disk = null;
        for (int pass = 0; pass < MostPasses && (disk is null || disk.Versions != marks.Count || disk.Temporary.Length > 0); pass++)
        {
            await host.PrintsAsync(Collected);
            disk = DiskRecount.TryCount(host.DataFolder);
        }
        Assert.NotNull(disk);
        Assert.False(Directory.Exists(orphan), "an abandoned version was not collected");
        Assert.Empty(disk.Temporary);
        Assert.Equal(marks.Count, disk.Versions);
        using UserClient admin = UserClient.Admin(host);
        long[] told = [.. (await admin.GetAsync("api/users"))["users"]!.AsArray().Select(user => (long)user!["stored_bytes"]!).Where(bytes => bytes > 0).Order()];
        Assert.Equal(disk.BytesOfOwners, told);
        return marks.Count;
    }

    /// <summary>The marks of all versions of a user: those of the ledger, and at most one whose acknowledgement was cut off.</summary>
    private static async Task<List<string>> MarksAsync(UserClient user, Ledger ledger)
    {
        using HttpResponseMessage listed = await user.SendAsync(HttpMethod.Get, $"api/models/{user.Name}/{Uploader.Model}/versions");
        if (listed.StatusCode == HttpStatusCode.NotFound && ledger.Kept().Count == 0) return [];
        List<string> marks = [];
        List<int> versions = [.. (await user.GetAsync($"api/models/{user.Name}/{Uploader.Model}/versions"))["versions"]!.AsArray().Select(item => (int)item!["version"]!)];
        Assert.Empty(ledger.Kept().Keys.Except(versions));
        Assert.InRange(versions.Count(version => ledger.MarkOf(version) is null), 0, 1);
        foreach (int version in versions)
        {
            HashSet<string?> ofVersion = [];
            foreach (string file in MarkedModel.New(new Random(0)).Files().Keys)
            {
                using HttpResponseMessage answer = await user.SendAsync(HttpMethod.Get, $"api/models/{user.Name}/{Uploader.Model}/versions/{version}/files/{file}");
                ofVersion.Add(MarkedModel.MarkOf(await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)));
            }
            string mark = Assert.Single(ofVersion) ?? throw new InvalidOperationException($"{user.Name}@{version} has no mark");
            Assert.Equal(ledger.MarkOf(version) ?? mark, mark);
            marks.Add(mark);
        }
        return marks;
    }
}
