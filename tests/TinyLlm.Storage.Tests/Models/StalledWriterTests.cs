using System.Security.Cryptography;
using Azure.Storage.Blobs;
using TinyLlm.Storage.Tests.Faults;
using TinyLlm.Tests;

namespace TinyLlm.Storage.Tests;

/// <summary>
/// A writer that stands still before any one of its accesses to the store, loses its right to a second that sends other bytes, as many chunks, and
/// goes on without knowing it. Whatever the place: what the second is told to be there is there, and no file mixes the two.
/// <para>
/// A tail of the first, put late, once continued the second's chunks when there were as many of them; a late deletion took the second's tail.
/// </para>
/// </summary>
public sealed class StalledWriterTests(Azurite azurite) : IDisposable
{
    private const int Chunk = EncryptedLayout.ChunkBytes;
    private const int SecondsPattern = 1_000;
    private const int SecondsMore = 3;

    /// <summary>An access that no write has so many of: the writer never stands still.</summary>
    private const int Never = int.MaxValue;

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static ModelFileName Weights => ModelFileName.Parse("model.safetensors");

    public void Dispose() => _folder.Dispose();

    /// <param name="before">What the first has sent already and goes on from; 0: it sends the file anew, over an older one.</param>
    /// <param name="length">Of the first's whole file; the second's is a little longer.</param>
    [Theory]
    [InlineData(0, (2 * Chunk) + 7)] // chunks and a tail
    [InlineData(0, 2 * Chunk)] // no tail
    [InlineData(0, 100)] // a tail alone
    [InlineData(Chunk + 50, (2 * Chunk) + 7)] // a tail for a tail
    [InlineData(Chunk + 50, 2 * Chunk)] // a tail that goes
    [InlineData(Chunk + 50, Chunk + 90)] // a longer tail behind the same chunks
    public async Task Write_FirstStandsStillAnywhere_TheSecondIsThere(int before, int length)
    {
        bool stood = true;
        for (int first = 0; stood; first++) stood = await MeetAsync(OpenAsync, before, length, first);
    }

    [Fact]
    public async Task Write_FirstStandsStillAnywhereOnAzure_TheSecondIsThere()
    {
        BlobContainerClient container = await azurite.NewContainerAsync(Cancel);
        bool stood = true;
        for (int first = 0; stood; first++) stood = await MeetAsync(async () => await AzureBlobObjectStore.OpenAsync(container, Cancel), 0, (2 * Chunk) + 7, first);
    }

    [Theory]
    [InlineData(0, Chunk + 7)]
    [InlineData(Chunk, Chunk + 40)]
    public async Task Write_BothStandStillAnywhere_NothingAcknowledgedIsLostAndNothingMixed(int before, int length)
    {
        bool firstStood = true;
        for (int first = 0; firstStood; first++)
        {
            bool secondStood = true;
            for (int second = 0; secondStood; second++)
                (firstStood, secondStood, _) = await new Run(OpenAsync, before, length).MeetAsync(first, second);
        }
    }

    private Task<ObjectStore> OpenAsync() => Task.FromResult<ObjectStore>(new FileObjectStore(_folder["store"]));

    /// <summary>Whether the first stood still.</summary>
    private static async Task<bool> MeetAsync(Func<Task<ObjectStore>> open, int before, int length, int first)
    {
        (bool stood, _, bool acknowledged) = await new Run(open, before, length).MeetAsync(first, Never);
        Assert.True(acknowledged, $"the first stood still before access {first}, and the second was refused though all of its writing lay in between");
        return stood;
    }

    private sealed class RightLostException : Exception;

    /// <summary>One file of one version, and the two that write it.</summary>
    private sealed class Run(Func<Task<ObjectStore>> open, int before, int length)
    {
        private readonly UserId _owner = UserId.New();
        private readonly VersionId _version = VersionId.New();
        private readonly byte[] _dataKey = RandomNumberGenerator.GetBytes(32);
        private bool _isSeconds;

        private VersionKey Key => new(_owner, "stories", _version, _dataKey);

        public async Task<(bool FirstStood, bool SecondStood, bool Acknowledged)> MeetAsync(int firstStop, int secondStop)
        {
            (ObjectStore firstStore, ObjectStore secondStore) = (await open(), await open());
            ModelFiles firstFiles = new(firstStore), secondFiles = new(secondStore);
            // 1. What is there: the beginning that the first goes on from, or an older file that it sends anew.
            await AppendAsync(firstFiles, 0, before > 0 ? before : Chunk + 30, 0, null);

            // 2. The first stands still.
            StandStill first = new StandStill(firstStop).Into(firstStore), second = new StandStill(secondStop).Into(secondStore);
            Task<bool> firstWrites = TryAsync(() => WriteAsync(firstFiles, before, length, 0, RequireFirstsRight));
            bool firstStood = await Task.WhenAny(first.Reached, firstWrites) == first.Reached;

            // 3. Its right goes to the second, who sends the whole file, and may stand still too.
            _isSeconds = true;
            Task<bool> secondWrites = TryAsync(() => WriteAsync(secondFiles, 0, length + SecondsMore, SecondsPattern, () => Task.CompletedTask));
            bool secondStood = await Task.WhenAny(second.Reached, secondWrites) == second.Reached;

            // 4. The first goes on to its end, then the second.
            first.GoOn();
            await firstWrites;
            second.GoOn();
            bool acknowledged = await secondWrites;

            if (acknowledged) Assert.Equal(length + SecondsMore, await secondFiles.LengthAsync(_owner, _version, Weights, Cancel));
            byte[]? published = await PublishAsync(secondFiles);
            if (acknowledged) Assert.True(IsBeginning(published, SecondsPattern) && published!.Length == length + SecondsMore, $"stops {firstStop} and {secondStop}: what was acknowledged is not there");
            else Assert.True(published is null || IsBeginning(published, SecondsPattern) || IsBeginning(published, 0), $"stops {firstStop} and {secondStop}: two writers' bytes in one file");
            return (firstStood, secondStood, acknowledged);
        }

        private Task RequireFirstsRight() => _isSeconds ? throw new RightLostException() : Task.CompletedTask;

        private async Task WriteAsync(ModelFiles files, int offset, int end, int pattern, Func<Task> requireRight)
        {
            if (offset == 0) await files.DiscardAsync(_owner, _version, Weights, requireRight, Cancel);
            await AppendAsync(files, offset, end, pattern, requireRight);
        }

        private Task<long> AppendAsync(ModelFiles files, int offset, int end, int pattern, Func<Task>? requireRight) => files.AppendAsync(
            _owner, _version, Weights, offset, new BodyStream(end - offset, patternOffset: pattern + offset), length + Chunk, null, Key, requireRight, Cancel);

        /// <summary>The whole of the file; null when it is refused because it is not.</summary>
        private async Task<byte[]?> PublishAsync(ModelFiles files)
        {
            try
            {
                await files.SealAsync(_owner, _version, Key, Cancel);
            }
            catch (StoreException error) when (error.Error is StoreError.OffsetMismatch or StoreError.NotFound)
            {
                return null;
            }
            return await files.ReadAllAsync(_owner, _version, Weights, Key);
        }

        private static bool IsBeginning(byte[]? bytes, int pattern) => bytes is not null && BodyStream.Bytes(pattern, bytes.Length).AsSpan().SequenceEqual(bytes);

        /// <summary>Whether it went through. What another writer's doing ends, ends as that.</summary>
        private static async Task<bool> TryAsync(Func<Task> write)
        {
            try
            {
                await write();
                return true;
            }
            catch (Exception error) when (error is RightLostException or StoreException { Error: StoreError.OffsetMismatch })
            {
                return false;
            }
        }
    }
}
