/**
 * The routes of the http edge: `GET /v1/verdict` and `GET /healthz`.
 *
 * A verdict is 200 whatever it says, so that a client need only look at `action`; a question that is not understood is 400 and
 * never a verdict. The answer has what a mail server would be told and the reason, and no more: neither tenant nor key.
 */
import type { Socket } from 'node:net';
import { fastify, type FastifyInstance, type FastifyReply } from 'fastify';
import { RollcallError, type ErrorCode } from '../../errors.js';
import type { Reply, Verdict } from '../../policy/verdict.js';
import { ask, tell, type Asker } from '../ask.js';
import { replyText } from '../reply-text.js';
import { readQuestion } from './query.js';

export interface VerdictBody extends Reply {
  readonly reason: string;
  readonly reference?: string | undefined;
  readonly domain?: string | undefined;
  /** In mode `observe`: what would have been answered. */
  readonly wouldBe?: (Reply & { readonly reason: string }) | undefined;
}

export function verdictBody(verdict: Verdict): VerdictBody {
  const { action, code, status, reason, reference, domain, wouldBe } = verdict;
  return { action, code, status, text: replyText(verdict), reason, reference, domain, wouldBe };
}

/** `isLast`: whether a connection is to be closed after the answer that is about to be sent on it. */
export async function createVerdictApp(
  asker: Asker,
  isLast: (socket: Socket) => boolean,
): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    bodyLimit: 1024,
    // query.ts reads it: the usual parsers take `+` for a space
    routerOptions: { querystringParser: (search) => ({ search }) },
  });
  app.addHook('onRequest', async (_request, reply) => {
    void reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  });
  app.addHook('onSend', async (request, reply) => {
    if (isLast(request.raw.socket)) void reply.header('connection', 'close');
  });
  app.get('/healthz', () => ({ status: 'ok' }));
  app.get('/v1/verdict', async (request) => {
    const { search = '' } = request.query as { search?: string };
    const question = readQuestion(search);
    const verdict = await ask(asker, question);
    setImmediate(() => tell(asker, question, verdict));
    return verdictBody(verdict);
  });
  app.setNotFoundHandler((_request, reply) =>
    refuse(reply, 404, 'not-found', 'there is nothing here', 'The routes are in docs/http.md.'),
  );
  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof RollcallError && error.code === 'usage')
      return refuse(reply, 400, 'usage', error.message, error.hint);
    if (isOfClient(error)) return refuse(reply, error.statusCode, 'usage', error.message, '');
    asker.log.error({ edge: 'http', err: error }, 'http request failed');
    return refuse(reply, 500, 'internal', 'something went wrong inside Rollcall', '');
  });
  await app.ready();
  return app;
}

/** What the framework refuses by itself carries its status. */
function isOfClient(error: unknown): error is Error & { statusCode: number } {
  if (!(error instanceof Error) || !('statusCode' in error)) return false;
  const { statusCode } = error;
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500;
}

/** As the HTTP API of control tells its failures. */
function refuse(
  reply: FastifyReply,
  status: number,
  code: ErrorCode,
  message: string,
  hint: string,
): FastifyReply {
  return reply.code(status).send({ error: { code, message, hint } });
}
