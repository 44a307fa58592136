using System.Collections.Concurrent;
using System.Diagnostics;
using Azure.Storage.Blobs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TinyLlm.Bench.Access;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;
using TinyLlm.Tests;

namespace TinyLlm.Bench.Users;

/// <summary>
/// Many users on one silo whose states lie in Azurite: how long a user's first request takes, whose grain is activated for it, what a user costs in
/// memory who has asked once and asks no more, and what so many of them cost in time while nobody asks. They are made over files, and what is stored of them is
/// copied: a user takes a dozen requests one after the other, each of which Azurite answers in milliseconds. Options: <c>--users N</c>, <c>--idle SECONDS</c>.
/// </summary>
internal static class UsersBenchmark
{
    /// <summary>Users whose activation warms the silo up and is not counted.</summary>
    private const int WarmUps = 500;

    /// <summary>Longer than a meter waits to be written: what was counted is stored, and nothing is left to do.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(25);

    /// <summary>Users that are made, and objects that are copied, at a time.</summary>
    private const int Makers = 16;

    public static int Run(string[] arguments) => RunAsync(new BenchArguments(arguments, "--users", "--idle")).GetAwaiter().GetResult();

    private static async Task<int> RunAsync(BenchArguments options)
    {
        int users = (int)options.Number("--users", 10_000);
        BenchReport report = new("users", "an activation reads a state, a meter and the end of an audit log: two reads of Azurite after each other (twoReadsMs)");
        await using AzuriteProcess azurite = await AzuriteProcess.StartAsync(CancellationToken.None);
        BlobServiceClient account = new(azurite.ConnectionString, AzureBlobObjectStore.ClientOptions());
        DirectoryInfo folder = Directory.CreateTempSubdirectory("tinyllm-bench-");
        try
        {
            ObjectStore objects = await OpenAsync(account, DataFolder.ObjectsContainer);
            ObjectStore states = await OpenAsync(account, DataFolder.GrainStateContainer);
            ObjectStore envelopes = await OpenAsync(account, DataFolder.KeyEnvelopesContainer);

            (UserId Id, string Token)[] made;
            string keys;
            using (DataFolder data = DataFolder.Open(folder.FullName, TimeProvider.System))
            {
                keys = data.KeysPath;
                made = await WithSiloAsync(services => services.AddTinyLlmStorage(data), keys, silo => MakeAsync(silo, WarmUps + users));
                await CopyAsync(data.Objects, objects);
                await CopyAsync(data.GrainState, states);
                await CopyAsync(data.KeyEnvelopes, envelopes);
            }
            report.Add("users", users);
            await WithSiloAsync(services => services.AddTinyLlmStorage(objects, states, envelopes), keys, async silo =>
            {
                await MeasureAsync(report, silo, states, made, TimeSpan.FromSeconds(options.Number("--idle", 20)));
                return true;
            });
        }
        finally
        {
            folder.Delete(recursive: true);
        }
        return report.Finish(options.Out);
    }

    private static async Task<T> WithSiloAsync<T>(Action<IServiceCollection> addStorage, string keys, Func<IGrainFactory, Task<T>> useAsync)
    {
        using IHost silo = await CoreSilo.StartHostAsync(addStorage, keys);
        T result = await useAsync(silo.Services.GetRequiredService<IGrainFactory>());
        await silo.StopAsync();
        return result;
    }

    private static async Task<ObjectStore> OpenAsync(BlobServiceClient account, string container) =>
        await AzureBlobObjectStore.OpenAsync(account.GetBlobContainerClient(container), CancellationToken.None);

    private static async Task<(UserId Id, string Token)[]> MakeAsync(IGrainFactory grains, int count)
    {
        ConcurrentBag<(UserId, string)> made = [];
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = Makers }, async (i, _) =>
        {
            (IUserGrain User, UserId Id, string Token) user = await CoreSilo.CreateAsync(grains, $"user-{i}");
            made.Add((user.Id, user.Token));
        });
        return [.. made];
    }

    private static async Task CopyAsync(ObjectStore from, ObjectStore to) => await Parallel.ForEachAsync(
        from.ListAsync("", CancellationToken.None),
        new ParallelOptions { MaxDegreeOfParallelism = Makers },
        async (listed, cancellationToken) =>
        {
            StoredObject stored = await from.GetAsync(listed.Name, cancellationToken) ?? throw new InvalidOperationException($"{listed.Name} went while it was copied.");
            await to.PutAsync(listed.Name, stored.Bytes, PutCondition.Always, cancellationToken);
        });

    private static async Task MeasureAsync(BenchReport report, IGrainFactory grains, ObjectStore states, (UserId Id, string Token)[] users, TimeSpan idle)
    {
        List<double> activations = [], calls = [], reads = [];
        for (int i = 0; i < users.Length; i++)
        {
            (double activation, double call, double read) = (await AdmitAsync(grains, users[i]), await AdmitAsync(grains, users[i]), await ReadTwiceAsync(states, users[i].Id));
            if (i < WarmUps) continue;
            activations.Add(activation);
            calls.Add(call);
            reads.Add(read);
        }
        await Task.Delay(Settling);
        report.Add("activationMs", activations);
        report.Add("nextCallMs", calls);
        report.Add("twoReadsMs", reads);

        TimeSpan before = Environment.CpuUsage.TotalTime;
        await Task.Delay(idle);
        report.Add("coreShareOfIdleUsers", (Environment.CpuUsage.TotalTime - before) / idle);

        // Against the same silo without them: what an earlier silo of this process left behind would go meanwhile, and count as theirs.
        long withUsers = HeapBytes();
        await grains.GetGrain<IManagementGrain>(0).ForceActivationCollection(TimeSpan.Zero);
        await Task.Delay(Settling);
        report.Add("heapBytesPerUser", (withUsers - HeapBytes()) / (double)users.Length);
    }

    private static async Task<double> AdmitAsync(IGrainFactory grains, (UserId Id, string Token) user)
    {
        long began = Stopwatch.GetTimestamp();
        Admission admission = await grains.GetGrain<IUserGrain>(user.Id.Value).Admit(user.Token);
        double milliseconds = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        return admission.Verdict is null ? throw new InvalidOperationException("The user's token was not accepted.") : milliseconds;
    }

    private static async Task<double> ReadTwiceAsync(ObjectStore states, UserId user)
    {
        long began = Stopwatch.GetTimestamp();
        for (int i = 0; i < 2; i++)
        {
            if (await states.GetAsync(ObjectName.Escape($"user-user/{user.Value}.json"), CancellationToken.None) is null)
                throw new InvalidOperationException("The user's state is not where the benchmark looks for it.");
        }
        return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
    }

    /// <summary>What is reachable.</summary>
    private static long HeapBytes()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        return GC.GetTotalMemory(forceFullCollection: true);
    }
}
