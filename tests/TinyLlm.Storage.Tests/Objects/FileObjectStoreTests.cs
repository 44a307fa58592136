using System.Diagnostics;
using Microsoft.Extensions.Time.Testing;

namespace TinyLlm.Storage.Tests;

public sealed class FileObjectStoreTests : ObjectStoreConformance
{
    private readonly TemporaryFolder folder = new();

    private string Root => folder["store"];

    [Fact]
    public async Task Put_ClockStandsOrGoesBack_ETagsStillDiffer()
    {
        FakeTimeProvider time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
        FileObjectStore store = new(Root, time);
        HashSet<string> eTags = [];
        for (int i = 0; i < 10; i++) eTags.Add(await store.PutAsync("x", new byte[1], PutCondition.Always, Cancel));
        FileObjectStore restarted = new(Root, new FakeTimeProvider(new DateTimeOffset(2029, 1, 1, 0, 0, 0, TimeSpan.Zero)));
        for (int i = 0; i < 10; i++) eTags.Add(await restarted.PutAsync("x", new byte[1], PutCondition.Always, Cancel));

        Assert.Equal(20, eTags.Count);
    }

    [Fact]
    public async Task Anything_ThroughASymbolicLink_IsRefused()
    {
        Directory.CreateDirectory(folder["outside"]);
        await File.WriteAllTextAsync(folder["outside/secret"], "secret", Cancel);
        Directory.CreateSymbolicLink(folder["store/linked"], folder["outside"]);
        File.CreateSymbolicLink(folder["store/file"], folder["outside/secret"]);

        foreach (string name in (string[])["linked/secret", "linked/new", "file"])
        {
            await AssertBadName(() => Store.GetAsync(name, Cancel));
            await AssertBadName(() => Store.OpenReadAsync(name, Cancel));
            await AssertBadName(() => Store.PutAsync(name, new byte[1], PutCondition.Always, Cancel));
            await AssertBadName(() => Store.AppendAsync(name, 0, new BodyStream(1), 10, Cancel));
            await AssertBadName(() => Store.DeleteAsync(name, PutCondition.Always, Cancel));
            await AssertBadName(() => Task.FromResult(Store.TryGetLocalPath(name)));
        }
        await AssertBadName(() => Store.DeletePrefixAsync("linked", Cancel));
        Assert.Empty(await ListAsync(""));
        Assert.Equal("secret", await File.ReadAllTextAsync(folder["outside/secret"], Cancel));
        Assert.Equal(["secret"], Directory.EnumerateFileSystemEntries(folder["outside"]).Select(Path.GetFileName));
    }

    [Fact]
    public async Task DeletePrefix_LinkInside_RemovesTheLinkOnly()
    {
        Directory.CreateDirectory(folder["outside"]);
        await File.WriteAllTextAsync(folder["outside/kept"], "kept", Cancel);
        await Store.PutAsync("a/b", new byte[1], PutCondition.Always, Cancel);
        Directory.CreateSymbolicLink(folder["store/a/linked"], folder["outside"]);

        await Store.DeletePrefixAsync("a", Cancel);

        Assert.False(Directory.Exists(folder["store/a"]));
        Assert.True(File.Exists(folder["outside/kept"]));
    }

    [Fact]
    public async Task Put_NameOfAFolderOrBelowAnObject_IsRefused()
    {
        await Store.PutAsync("a/b", new byte[1], PutCondition.Always, Cancel);

        await AssertBadName(() => Store.PutAsync("a", new byte[1], PutCondition.Always, Cancel));
        await AssertBadName(() => Store.PutAsync("a/b/c", new byte[1], PutCondition.Always, Cancel));
        await AssertBadName(() => Store.AppendAsync("a", 0, new BodyStream(1), 10, Cancel));
        Assert.Null(await Store.GetAsync("a", Cancel));
    }

    [Fact]
    public async Task CollectTemporary_RemovesWhatIsOldEnough()
    {
        FakeTimeProvider time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
        FileObjectStore store = new(Root, time);
        await store.PutAsync("x", new byte[1], PutCondition.Always, Cancel);
        foreach (string name in (string[])["old", "young"]) await File.WriteAllTextAsync(folder[$"store/.tmp/{name}"], name, Cancel);
        Directory.CreateDirectory(folder["store/.tmp/tree/inside"]);
        File.SetLastWriteTimeUtc(folder["store/.tmp/old"], time.GetUtcNow().UtcDateTime.AddHours(-2));
        File.SetLastWriteTimeUtc(folder["store/.tmp/young"], time.GetUtcNow().UtcDateTime.AddMinutes(-30));
        Directory.SetLastWriteTimeUtc(folder["store/.tmp/tree"], time.GetUtcNow().UtcDateTime.AddHours(-2));

        int removed = await store.CollectTemporaryAsync(TimeSpan.FromHours(1), Cancel);

        Assert.Equal(2, removed);
        Assert.Equal(["young"], Directory.EnumerateFileSystemEntries(folder["store/.tmp"]).Select(Path.GetFileName));
        Assert.Equal(1, await store.LengthAsync("x", Cancel));
    }

    [Fact]
    public async Task AnyWrite_WhateverItsEnd_LeavesNoTemporaryFile()
    {
        string eTag = await Store.PutAsync("x", new byte[1], PutCondition.Always, Cancel);
        await Assert.ThrowsAsync<StoreException>(() => Store.PutAsync("x", new byte[1], PutCondition.IfAbsent, Cancel));
        await Store.PutAsync("x", new byte[2], PutCondition.IfMatch(eTag), Cancel);
        await Assert.ThrowsAsync<StoreException>(() => Store.AppendAsync("y", 0, new BodyStream(9), 100, new ContentDigest(new byte[32]), Cancel));
        await Assert.ThrowsAsync<IOException>(() => Store.AppendAsync("y", 0, new BodyStream(9, _ => throw new IOException()), 100, new ContentDigest(new byte[32]), Cancel));
        await Store.DeletePrefixAsync("x", Cancel);

        Assert.Empty(Directory.EnumerateFileSystemEntries(folder["store/.tmp"]));
    }

    [Fact]
    public async Task Files_AreTheOwnersAlone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such modes");
        await Store.PutAsync("a/b", new byte[1], PutCondition.Always, Cancel);
        await Store.AppendAsync("a/c", 0, new BodyStream(1), 10, Cancel);

        Assert.Equal(PrivateFiles.FileModeBits, Mode("store/a/b"));
        Assert.Equal(PrivateFiles.FileModeBits, Mode("store/a/c"));
        Assert.Equal(PrivateFiles.FolderModeBits, Mode("store/a"));
        Assert.Equal(PrivateFiles.FolderModeBits, Mode("store"));

#pragma warning disable CA1416 // The test was skipped above on Windows.
        UnixFileMode Mode(string path) => File.GetUnixFileMode(folder[path]);
#pragma warning restore CA1416
    }

    [Fact]
    public async Task TryGetLocalPath_OfAnObject_HoldsItsBytes()
    {
        await Store.PutAsync("a/b", new byte[] { 1, 2, 3 }, PutCondition.Always, Cancel);

        Assert.Equal([1, 2, 3], await File.ReadAllBytesAsync(Store.TryGetLocalPath("a/b")!, Cancel));
        Assert.Equal(folder["store/a"], Store.TryGetLocalFolder("a"));
        Assert.Null(Store.TryGetLocalFolder("none"));
    }

    [Fact]
    public async Task Append_WhileTheFolderIsDeleted_EndsAndLeavesNothing()
    {
        TaskCompletionSource stalled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource resume = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<AppendResult> append = Store.AppendAsync("a/b", 0, new BodyStream(ObjectStore.AppendBlockBytes + 10, async cancel =>
        {
            stalled.TrySetResult();
            await resume.Task.WaitAsync(cancel);
        }), long.MaxValue, Cancel);
        await stalled.Task.WaitAsync(Cancel);

        await Store.DeletePrefixAsync("a", Cancel);
        resume.SetResult();

        Assert.Equal(StoreError.OffsetMismatch, (await Assert.ThrowsAsync<StoreException>(() => append)).Error);
        Assert.Empty(await ListAsync(""));
    }

    [Fact]
    public async Task Write_DiskFull_SaysSoAndWorksAgainWithSpace()
    {
        string mount = folder["small"];
        Directory.CreateDirectory(mount);
        Assert.SkipUnless(OperatingSystem.IsLinux() && Run("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", mount) == 0,
            "a small file system can't be mounted here: this needs Linux and the right to mount");
        try
        {
            FileObjectStore store = new(Path.Combine(mount, "store"));
            await store.PutAsync("kept", new byte[] { 1 }, PutCondition.Always, Cancel);
            StoreException append = await Assert.ThrowsAsync<StoreException>(() => store.AppendAsync("big", 0, new BodyStream(64 << 20), long.MaxValue, Cancel));
            Assert.Equal(StoreError.StorageFull, append.Error);
            long durable = await store.LengthAsync("big", Cancel) ?? 0;
            Assert.Equal(0, durable % ObjectStore.AppendBlockBytes);
            Assert.InRange(durable, ObjectStore.AppendBlockBytes, 24 << 20);
            ObjectInfo before = (await store.StatAsync("big", Cancel))!;
            await Assert.ThrowsAsync<StoreException>(() => store.AppendAsync("big", durable, new BodyStream(64 << 20), long.MaxValue, Cancel));
            Assert.Equal(before, await store.StatAsync("big", Cancel)); // a block that failed leaves no trace, so that a repeat knows the object again

            StoreException put = await Assert.ThrowsAsync<StoreException>(() => store.PutAsync("kept", new byte[20 << 20], PutCondition.Always, Cancel));
            StoreException staged = await Assert.ThrowsAsync<StoreException>(
                () => store.AppendAsync("other", 0, new BodyStream(20 << 20), long.MaxValue, new ContentDigest(new byte[32]), Cancel));
            Assert.Equal(StoreError.StorageFull, put.Error);
            Assert.Equal(StoreError.StorageFull, staged.Error);
            Assert.Equal([1], (await store.GetAsync("kept", Cancel))!.Bytes.ToArray());
            Assert.Null(await store.LengthAsync("other", Cancel));
            Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(mount, "store", ".tmp")));

            await store.DeleteAsync("big", PutCondition.Always, Cancel);
            await store.PutAsync("kept", new byte[12 << 20], PutCondition.Always, Cancel);
            Assert.Equal(12 << 20, await store.LengthAsync("kept", Cancel));
        }
        finally
        {
            Assert.Equal(0, Run("umount", mount));
        }
    }

    /// <summary>Processes that write one object by its ETag lose none of each other's steps.</summary>
    [Fact]
    public async Task Put_IfMatchFromThreeProcesses_LosesNoStep()
    {
        const int steps = 60;
        await Store.PutAsync("counter", BitConverter.GetBytes(0), PutCondition.Always, Cancel);
        using Process first = StoreChild.Start(StoreChild.Count, Root, steps);
        using Process second = StoreChild.Start(StoreChild.Count, Root, steps);

        await StoreChild.CountAsync(Store, steps);
        await first.WaitForExitAsync(Cancel);
        await second.WaitForExitAsync(Cancel);

        Assert.Equal(0, first.ExitCode);
        Assert.Equal(0, second.ExitCode);
        Assert.Equal(3 * steps, BitConverter.ToInt32((await Store.GetAsync("counter", Cancel))!.Bytes.Span));
    }

    /// <summary>A writer killed at any moment leaves whole objects and, after collection, nothing else.</summary>
    [Fact]
    public async Task Writer_KilledAtAnyMoment_LeavesWholeObjectsOnly()
    {
        Random random = new(20_260_101);
        for (int round = 0; round < 12; round++)
        {
            using Process child = StoreChild.Start(StoreChild.Write, Root, round);
            for (int lines = random.Next(1, 40); lines > 0; lines--) Assert.NotNull(await child.StandardOutput.ReadLineAsync(Cancel));
            child.Kill();
            await child.WaitForExitAsync(Cancel);

            byte[] whole = (await Store.GetAsync("whole", Cancel))!.Bytes.ToArray();
            Assert.Equal(StoreChild.Uniform(whole[0]), whole);
            foreach (ObjectInfo appended in (await ListAsync("appended")).Where(info => info.Length > 0)) await AssertPatternAsync(appended.Name, appended.Length);
        }
        await Store.CollectTemporaryAsync(TimeSpan.FromDays(-1), Cancel);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder["store/.tmp"]));
    }

    protected override Task<ObjectStore> OpenAsync() => OpenAgainAsync();

    protected override Task<ObjectStore> OpenAgainAsync() => Task.FromResult<ObjectStore>(new FileObjectStore(Root));

    protected override Task CloseAsync()
    {
        folder.Dispose();
        return Task.CompletedTask;
    }

    private static async Task AssertBadName(Func<Task> call) => Assert.Equal(StoreError.BadName, (await Assert.ThrowsAsync<StoreException>(call)).Error);

    private static int Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode;
    }
}
