using System.Security.Cryptography;
using Azure.Storage.Blobs;
using TinyLlm.Storage.Tests.Faults;
using TinyLlm.Tests;

namespace TinyLlm.Storage.Tests;

/// <summary>
/// A writer that stands still before any one of its accesses to the store and loses its right, so that the upload is committed by another process, and goes
/// on without knowing it, before the commit has ended or after. Whatever the places: a version that is published is whole, and stays it.
/// </summary>
public sealed class StalledWhileCommittedTests(Azurite azurite) : IDisposable
{
    private const int Chunk = EncryptedLayout.ChunkBytes;
    private const int Length = Chunk + 30;

    /// <summary>An access that nobody has so many of: nobody stands still.</summary>
    private const int Never = int.MaxValue;

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static ModelFileName Weights => ModelFileName.Parse("model.safetensors");

    public void Dispose() => _folder.Dispose();

    /// <param name="encrypted">Whether the version is.</param>
    /// <param name="wasEnded">Whether an earlier commit ended the file and was cut off then.</param>
    /// <param name="anew">Whether the writer sends the file anew, or goes on at its end.</param>
    [Theory]
    [InlineData(true, false, true)]
    [InlineData(true, true, true)]
    [InlineData(true, false, false)]
    [InlineData(true, true, false)]
    [InlineData(false, false, true)]
    [InlineData(false, false, false)]
    public async Task Commit_WriterStandsStillAnywhere_WhatIsPublishedStaysWhole(bool encrypted, bool wasEnded, bool anew)
    {
        bool stood = true;
        for (int writer = 0; stood; writer++)
        {
            // The writer goes on when the commit has ended, or at a third of the places where the commit itself may stand.
            (stood, _) = await MeetAsync(OpenAsync, encrypted, wasEnded, anew, writer, Never);
            bool commitStood = true;
            for (int commit = writer % 3; commitStood; commit += 3) (_, commitStood) = await MeetAsync(OpenAsync, encrypted, wasEnded, anew, writer, commit);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Commit_WriterStandsStillAnywhereOnAzure_WhatIsPublishedStaysWhole(bool encrypted)
    {
        BlobContainerClient container = await azurite.NewContainerAsync(Cancel);
        bool stood = true;
        for (int writer = 0; stood; writer++)
            (stood, _) = await MeetAsync(async () => await AzureBlobObjectStore.OpenAsync(container, Cancel), encrypted, wasEnded: encrypted, anew: true, writer, Never);
    }

    private Task<ObjectStore> OpenAsync() => Task.FromResult<ObjectStore>(new FileObjectStore(_folder["store"]));

    private static async Task<(bool WriterStood, bool CommitStood)> MeetAsync(
        Func<Task<ObjectStore>> open, bool encrypted, bool wasEnded, bool anew, int writerStop, int commitStop)
    {
        (UserId owner, VersionId version, bool hasRight) = (UserId.New(), VersionId.New(), true);
        VersionKey? key = encrypted ? new VersionKey(owner, "stories", version, RandomNumberGenerator.GetBytes(32)) : null;
        (ObjectStore writerStore, ObjectStore commitStore) = (await open(), await open());
        ModelFiles writerFiles = new(writerStore), commitFiles = new(commitStore);

        // 1. A file that was acknowledged.
        await writerFiles.AppendAsync(owner, version, Weights, 0, new BodyStream(Length), 2 * Length, null, key, Cancel);
        if (wasEnded) await new EncryptedUpload(writerStore, new FileObjects(ModelFiles.ObjectNameOf(owner, version, Weights)), key!, Weights).FinishAsync(Cancel);

        // 2. Its writer stands still.
        StandStill writer = new StandStill(writerStop).Into(writerStore), commit = new StandStill(commitStop).Into(commitStore);
        Task writes = WriteAsync();
        bool writerStood = await Task.WhenAny(writer.Reached, writes) == writer.Reached;

        // 3. Another process commits, once the right was taken back, and may stand still too.
        hasRight = false;
        Task<ModelManifest?> commits = SealAsync();
        bool commitStood = await Task.WhenAny(commit.Reached, commits) == commit.Reached;

        // 4. The writer goes on to its end, then the commit.
        writer.GoOn();
        await writes;
        commit.GoOn();
        if (await commits is { } manifest)
        {
            byte[] published = await commitFiles.ReadAllAsync(owner, version, Weights, key);
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(published)), manifest.Files.Single().Sha256.Hex);
        }
        return (writerStood, commitStood);

        Task RequireRight() => hasRight ? Task.CompletedTask : throw new InvalidOperationException("the right was lost");

        async Task WriteAsync()
        {
            try
            {
                if (anew) await writerFiles.DiscardAsync(owner, version, Weights, RequireRight, Cancel);
                int offset = anew ? 0 : Length;
                await writerFiles.AppendAsync(owner, version, Weights, offset, new BodyStream(Chunk, patternOffset: 77), 4 * Length, null, key, RequireRight, Cancel);
            }
            catch (Exception error) when (error is InvalidOperationException or StoreException { Error: StoreError.OffsetMismatch or StoreError.Sealed })
            {
                // It was told.
            }
        }

        async Task<ModelManifest?> SealAsync()
        {
            try
            {
                return await commitFiles.SealAsync(owner, version, key, Cancel);
            }
            catch (StoreException error) when (error.Error is StoreError.OffsetMismatch or StoreError.NotFound)
            {
                return null; // the file was gone, or being written, before the commit saw it
            }
        }
    }
}
