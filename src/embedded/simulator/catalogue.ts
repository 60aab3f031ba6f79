import type { TypeCentre } from './centres.ts';

/** Profiles and colours that a centre of some type meets; all of them invented. */
export interface Catalogue {
  readonly references: readonly string[];
  /** `C` of `JobProfiel`: RAL number or decor, finish, material */
  readonly colours: readonly string[];
  /** pieces a weekday, on average */
  readonly pieces: number;
}

const PVC_REFERENCES = ['215023', '215041', '215107', '216310', '216322', '218004', '218115', '219950'];
const ALU_REFERENCES = ['430112', '430118', '431205', '431260', '435003', '437719', 'AL4402', 'AL4410'];
const PVC_COLOURS = ['9016 WIT PVC', '7016 G PVC', '1013 CREME PVC', 'GOUDEN EIK PVC', '7039 KWARTS PVC'];
const ALU_COLOURS = [
  '7016 G ALU',
  '9005 MAT ALU',
  '9010 GLANS ALU',
  '8019 STRUCTUUR ALU',
  'EV1 GEANODISEERD',
];

export const CATALOGUES: Readonly<Record<TypeCentre, Catalogue>> = {
  PVC: { references: PVC_REFERENCES, colours: PVC_COLOURS, pieces: 1020 },
  ALU: { references: ALU_REFERENCES, colours: ALU_COLOURS, pieces: 820 },
  HYBRIDE: {
    references: [...PVC_REFERENCES.slice(0, 4), ...ALU_REFERENCES.slice(0, 4), 'HY7001', 'HY7020'],
    colours: [...PVC_COLOURS.slice(0, 3), ...ALU_COLOURS.slice(0, 3), '7016 G HYB'],
    pieces: 930,
  },
};
